"""`trace_context`: a caller's trace id, and nothing else that stands where it should."""

import pytest

from allibe_services.trace_context import trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header", [f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00", f"cc-{TRACE}-{PARENT}-01-new"]
)
def test_a_trace_is_known_by_its_id(header: str) -> None:
    assert trace_of({"traceparent": header}) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        TRACE,
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01\nsecond line",
        f"00-{TRACE}x-{PARENT}-01",
    ],
)
def test_what_is_written_otherwise_is_none(header: str) -> None:
    """W3C Trace Context §3.2: ignore what cannot be parsed."""
    assert trace_of({"traceparent": header}) is None


def test_without_a_header_there_is_none() -> None:
    assert trace_of({}) is None
