"""`sockjs.connections`: whose session is whose, and how many there are."""

from typing import cast

import pytest

from allibe_gateway.doors.sockjs.connection import HttpConnection
from allibe_gateway.doors.sockjs.connections import HttpConnections, NotYours, Visitor

PAGE = "https://a.example"


def connection() -> HttpConnection:
    return cast(HttpConnection, object())


@pytest.fixture
async def connections() -> HttpConnections:
    return HttpConnections(2, 0)


@pytest.mark.parametrize(
    ("owner", "visitor", "admitted"),
    [
        (Visitor("1", 0, None), Visitor("1", 0, None), True),
        (Visitor("1", 0, None), Visitor("2", 0, None), False),
        (Visitor("1", 7, None), Visitor("1", 7, None), True),
        (Visitor("1", 7, None), Visitor("1", 8, None), False),
        (Visitor("1", 7, None), Visitor("1", 0, None), False),
        (Visitor("1", 0, None), Visitor("1", 7, None), True),
        (Visitor("1", 0, PAGE), Visitor("1", 0, PAGE), True),
        (Visitor("1", 0, PAGE), Visitor("1", 0, None), True),
        (Visitor("1", 0, PAGE), Visitor("1", 0, "https://b.example"), False),
    ],
)
async def test_who_is_admitted(
    connections: HttpConnections, owner: Visitor, visitor: Visitor, admitted: bool
) -> None:
    mine = connection()
    connections.add("s", owner, mine)
    if admitted:
        assert connections.find("s", visitor) is mine
    else:
        with pytest.raises(NotYours):
            connections.find("s", visitor)
    assert connections.find("s", owner) is mine


async def test_the_first_origin_that_is_told_is_the_sessions(connections: HttpConnections) -> None:
    """Browsers leave it out of a GET for their own server."""
    connections.add("s", Visitor("1", 0, None), connection())
    connections.find("s", Visitor("1", 0, PAGE))
    with pytest.raises(NotYours):
        connections.find("s", Visitor("1", 0, "https://b.example"))


async def test_there_are_only_so_many_until_some_are_forgotten(
    connections: HttpConnections,
) -> None:
    visitor = Visitor("1", 0, None)
    for name in ("a", "b"):
        assert not connections.full
        connections.add(name, visitor, connection())
    assert connections.full
    connections.ended("a")
    assert connections.full
    assert connections.find("a", visitor) is None
    assert not connections.full
