"""How much one peer may ask this server to hold, and why that much."""

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Upper bounds for one connection. Each is enforced before the memory is taken.

    STOMP 1.2, "Size Limits", names the first three as what a server may bound.
    """

    frame_bytes: int = 65_536
    """Bytes of a whole frame, from its command to its NUL inclusive.

    A message is at most 8 KiB of text; as JSON escapes (`\\u00e9`) it can grow sixfold, to
    48 KiB. The rest is room for the headers.
    """

    headers: int = 64
    """Header lines of a frame, repeated ones included. Stock clients send fewer than ten."""

    header_line_bytes: int = 8_192
    """Bytes of the command line or of one header line, without its LF.

    The longest honest header is an access token; reverse proxies allow 8 KiB for one as well.
    """

    transactions: int = 8
    """Transactions that may be open at once. A client needs one; eight leave room for tabs of
    one application that share a connection."""

    transaction_frames: int = 100
    """SEND, ACK and NACK frames held until their COMMIT, over all open transactions.

    They are published in one go, so this is also the largest burst that one frame can cause.
    """

    transaction_bytes: int = 262_144
    """Bytes of those held frames, headers included: four frames of the largest size. Without it
    100 held frames of 64 KiB would cost 6 MiB for each connection."""
