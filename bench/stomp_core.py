"""How many frames a second the STOMP core takes and makes, on one core and without any network.

taskset -c 1 python bench/stomp_core.py
"""

import time
from collections.abc import Callable
from typing import Final

from allibe_gateway.stomp import MessageEncoder, ServerProtocol, Version
from allibe_gateway.stomp.replies import receipt

CONNECT: Final = b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0"
SEND: Final = (
    b"SEND\ndestination:/app/message\ncontent-type:application/json\nreceipt:r-1\n\n"
    b'{"content":"hello","roomId":"1"}\0'
)
SEND_WITH_LENGTH: Final = SEND.replace(b"\n\n", b"\ncontent-length:32\n\n", 1)
SEND_ESCAPED: Final = SEND.replace(b"receipt:r-1", b"receipt:r\\c1")
BODY: Final = b'{"type":"message","roomId":"1","offset":1,"content":"hello"}' * 3
FRAMES: Final = 100_000
ROUNDS: Final = 5


def connection() -> ServerProtocol:
    protocol = ServerProtocol()
    list(protocol.receive(CONNECT))
    return protocol


def receive(chunk: bytes) -> Callable[[], None]:
    protocol = connection()

    def once() -> None:
        for _ in protocol.receive(chunk):
            pass

    return once


def receive_in_pieces(chunk: bytes, at: int) -> Callable[[], None]:
    protocol = connection()

    def once() -> None:
        for piece in (chunk[:at], chunk[at:]):
            for _ in protocol.receive(piece):
                pass

    return once


def message() -> Callable[[], None]:
    encoder = MessageEncoder(Version.V1_2, "sub-0", "/topic/rooms/1")
    return lambda: void(encoder.encode(b"1.1.123456", BODY))


def void(_: bytes) -> None:
    pass


def best_rate(once: Callable[[], None], per_call: int = 1) -> float:
    """Frames a second in the best of several rounds: the others met some other work."""
    calls = FRAMES // per_call
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            once()
        best = min(best, time.perf_counter() - start)
    return calls * per_call / best


def main() -> None:
    measured = {
        "SEND, one frame per chunk": best_rate(receive(SEND)),
        "SEND with content-length": best_rate(receive(SEND_WITH_LENGTH)),
        "SEND, ten frames per chunk": best_rate(receive(SEND * 10), 10),
        "SEND with an escape": best_rate(receive(SEND_ESCAPED)),
        "SEND in two chunks": best_rate(receive_in_pieces(SEND, 40)),
        "MESSAGE encoded": best_rate(message()),
        "RECEIPT encoded": best_rate(lambda: void(receipt("r-1", Version.V1_2))),
    }
    for what, rate in measured.items():
        print(f"{what:28}{rate:>12,.0f} frames/s")


if __name__ == "__main__":
    main()
