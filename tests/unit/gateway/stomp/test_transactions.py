"""BEGIN, COMMIT and ABORT: what is held, what comes out, and how much may be held."""

import pytest

from allibe_gateway.stomp import Limits, ServerProtocol, StompError
from allibe_gateway.stomp.errors import (
    AlreadyDisconnected,
    DuplicateTransaction,
    MissingHeader,
    TooManyTransactions,
    TransactionTooLarge,
    UnknownTransaction,
)
from allibe_gateway.stomp.events import Ack, Disconnect, Event, Handled, Nack, Send


def connected(limits: Limits | None = None) -> ServerProtocol:
    protocol = ServerProtocol(limits)
    list(protocol.receive(b"CONNECT\naccept-version:1.2\n\n\0"))
    return protocol


def verb(command: str, transaction: str, receipt: str | None = None) -> bytes:
    asked = "" if receipt is None else f"receipt:{receipt}\n"
    return f"{command}\ntransaction:{transaction}\n{asked}\n\0".encode()


def send(body: str, transaction: str | None = None, receipt: str | None = None) -> bytes:
    headers = "destination:/a\n"
    headers += "" if transaction is None else f"transaction:{transaction}\n"
    headers += "" if receipt is None else f"receipt:{receipt}\n"
    return f"SEND\n{headers}\n{body}\0".encode()


def bodies(events: list[Event]) -> list[bytes]:
    return [event.body for event in events if isinstance(event, Send)]


def refused(protocol: ServerProtocol, chunk: bytes, error: type[StompError]) -> StompError:
    with pytest.raises(error) as caught:
        list(protocol.receive(chunk))
    return caught.value


def test_a_send_in_a_transaction_is_held_until_its_commit() -> None:
    """1.2, "BEGIN": messages sent during a transaction are processed with it."""
    protocol = connected()
    assert list(protocol.receive(verb("BEGIN", "t") + send("1", "t"))) == []
    assert bodies(list(protocol.receive(verb("COMMIT", "t")))) == [b"1"]


def test_commit_emits_in_the_order_of_arrival() -> None:
    protocol = connected()
    chunk = verb("BEGIN", "t")
    chunk += b"".join(send(str(i), "t") for i in range(5))
    assert bodies(list(protocol.receive(chunk + verb("COMMIT", "t")))) == [
        b"0",
        b"1",
        b"2",
        b"3",
        b"4",
    ]


def test_acks_and_nacks_are_held_with_sends() -> None:
    protocol = connected()
    chunk = verb("BEGIN", "t") + b"ACK\nid:1\ntransaction:t\n\n\0" + send("x", "t")
    chunk += b"NACK\nid:2\ntransaction:t\n\n\0"
    assert list(protocol.receive(chunk)) == []
    events = list(protocol.receive(verb("COMMIT", "t")))
    assert [type(event) for event in events] == [Ack, Send, Nack]


def test_frames_outside_the_transaction_are_not_held() -> None:
    events = list(connected().receive(verb("BEGIN", "t") + send("1", "t") + send("2")))
    assert bodies(events) == [b"2"]


def test_a_held_send_gives_its_receipt_at_commit() -> None:
    """1.2, "RECEIPT": it says that the frame was processed, not that it was received."""
    protocol = connected()
    assert list(protocol.receive(verb("BEGIN", "t") + send("1", "t", "r-1"))) == []
    (event,) = protocol.receive(verb("COMMIT", "t"))
    assert isinstance(event, Send)
    assert event.receipt == "r-1"


def test_begin_commit_and_abort_are_seen_only_when_a_receipt_was_asked_for() -> None:
    protocol = connected()
    assert list(protocol.receive(verb("BEGIN", "t", "1"))) == [Handled("BEGIN", "1")]
    assert list(protocol.receive(verb("ABORT", "t", "2"))) == [Handled("ABORT", "2")]
    assert list(protocol.receive(verb("BEGIN", "t") + verb("COMMIT", "t", "3"))) == [
        Handled("COMMIT", "3")
    ]
    assert list(protocol.receive(verb("BEGIN", "t") + verb("ABORT", "t"))) == []


def test_the_receipt_of_a_commit_comes_after_what_it_emits() -> None:
    chunk = verb("BEGIN", "t") + send("1", "t") + verb("COMMIT", "t", "c")
    sent, handled = connected().receive(chunk)
    assert isinstance(sent, Send)
    assert handled == Handled("COMMIT", "c")


def test_abort_forgets_what_was_held() -> None:
    """1.2, "ABORT": rolls the transaction back."""
    protocol = connected()
    events = list(protocol.receive(verb("BEGIN", "t") + send("1", "t") + verb("ABORT", "t")))
    assert events == []
    assert refused(protocol, verb("COMMIT", "t"), UnknownTransaction)


def test_transactions_do_not_mix() -> None:
    protocol = connected()
    chunk = verb("BEGIN", "a") + verb("BEGIN", "b") + send("1", "a") + send("2", "b")
    assert list(protocol.receive(chunk)) == []
    assert bodies(list(protocol.receive(verb("COMMIT", "b")))) == [b"2"]
    assert bodies(list(protocol.receive(verb("COMMIT", "a")))) == [b"1"]


def test_an_id_may_be_used_again_once_it_is_over() -> None:
    events = connected().receive((verb("BEGIN", "t") + send("1", "t") + verb("COMMIT", "t")) * 2)
    assert bodies(list(events)) == [b"1", b"1"]


@pytest.mark.parametrize(
    "chunk", [verb("COMMIT", "t", "r"), verb("ABORT", "t", "r"), send("1", "t", "r")]
)
def test_an_unknown_transaction_is_an_error(chunk: bytes) -> None:
    error = refused(connected(), chunk, UnknownTransaction)
    assert (error.code, error.receipt_id) == ("unknown_transaction", "r")


def test_an_empty_transaction_on_a_send_is_unknown() -> None:
    refused(connected(), send("1", ""), UnknownTransaction)


def test_beginning_an_open_transaction_is_an_error() -> None:
    """1.2: "different transactions MUST use different transaction identifiers"."""
    error = refused(connected(), verb("BEGIN", "t") * 2, DuplicateTransaction)
    assert error.code == "duplicate_transaction"


def test_a_bad_frame_in_a_transaction_is_refused_when_it_comes() -> None:
    protocol = connected()
    refused(protocol, verb("BEGIN", "t") + b"SEND\ntransaction:t\n\n\0", MissingHeader)


def test_disconnect_aborts_what_is_open() -> None:
    """1.2: transactions that were not committed are "implicitly aborted"."""
    protocol = connected()
    chunk = verb("BEGIN", "t") + send("1", "t") + b"DISCONNECT\n\n\0"
    assert list(protocol.receive(chunk)) == [Disconnect(None)]
    refused(protocol, verb("COMMIT", "t"), AlreadyDisconnected)


def test_no_more_than_the_limit_may_be_open() -> None:
    protocol = connected()
    begins = b"".join(verb("BEGIN", str(i)) for i in range(8))
    assert list(protocol.receive(begins)) == []
    error = refused(protocol, verb("BEGIN", "8"), TooManyTransactions)
    assert error.code == "too_many_transactions"


def test_a_closed_transaction_makes_room() -> None:
    protocol = connected(Limits(transactions=1))
    chunk = verb("BEGIN", "a") + verb("COMMIT", "a") + verb("BEGIN", "b") + verb("ABORT", "b")
    assert list(protocol.receive(chunk + verb("BEGIN", "c"))) == []


def test_no_more_frames_than_the_limit_are_held_over_all_transactions() -> None:
    protocol = connected(Limits(transaction_frames=3))
    chunk = verb("BEGIN", "a") + verb("BEGIN", "b") + send("1", "a") + send("2", "b")
    assert list(protocol.receive(chunk + send("3", "a"))) == []
    error = refused(protocol, send("4", "b", "r-4"), TransactionTooLarge)
    assert (error.code, error.receipt_id) == ("transaction_too_large", "r-4")


def test_committed_frames_make_room() -> None:
    protocol = connected(Limits(transaction_frames=1))
    chunk = (verb("BEGIN", "t") + send("1", "t") + verb("COMMIT", "t")) * 3
    assert bodies(list(protocol.receive(chunk))) == [b"1"] * 3


def test_no_more_bytes_than_the_limit_are_held() -> None:
    headers = len("destination:/a\ntransaction:t\n")
    protocol = connected(Limits(transaction_bytes=2 * (headers + 10)))
    chunk = verb("BEGIN", "t") + send("x" * 10, "t") * 2
    assert list(protocol.receive(chunk)) == []
    assert len(list(protocol.receive(verb("COMMIT", "t")))) == 2
    assert list(protocol.receive(chunk)) == []
    refused(protocol, b"ACK\nid:1\ntransaction:t\n\n\0", TransactionTooLarge)


def test_four_of_the_largest_frames_are_the_most_that_is_held_by_default() -> None:
    protocol = connected()
    large = send("x" * 60_000, "t")
    assert list(protocol.receive(verb("BEGIN", "t") + large * 4)) == []
    refused(protocol, large, TransactionTooLarge)
