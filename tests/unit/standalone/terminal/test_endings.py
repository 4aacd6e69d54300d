"""`terminal.endings`: close codes by the server's own table; waits."""

import pytest

from allibe_services.contracts.disconnects import TABLE, TOKEN_EXPIRED, Disconnect
from allibe_standalone.terminal.endings import (
    CONNECTION_LOST,
    FIRST_SECONDS,
    LONGEST_SECONDS,
    Backoff,
    CannotChat,
    Lost,
    disconnect_of,
)


@pytest.mark.parametrize("disconnect", TABLE, ids=lambda one: str(one.code))
def test_every_code_of_the_table_is_known(disconnect: Disconnect) -> None:
    assert disconnect_of(disconnect.code) is disconnect


def test_an_unknown_code_is_a_lost_connection() -> None:
    """Later servers and proxies have codes of their own; coming back harms neither."""
    assert disconnect_of(4999) is CONNECTION_LOST
    assert CONNECTION_LOST.reconnect


def test_texts_of_the_server_cannot_control_the_terminal_either() -> None:
    assert str(CannotChat("no\x1b[2J")) == "no\\x1b[2J"
    assert Lost(TOKEN_EXPIRED, "over\x07").text == "over\\x07"
    assert Lost(TOKEN_EXPIRED).text == "token expired"


def _at_the_ceiling(_: float, ceiling: float) -> float:
    return ceiling


def _at_once(floor: float, _: float) -> float:
    return floor


def test_the_ceiling_doubles_up_to_the_longest_wait() -> None:
    waits = Backoff(_at_the_ceiling)
    ceilings = [waits.next() for _ in range(12)]
    assert ceilings[:4] == [FIRST_SECONDS * 2**n for n in range(4)]
    assert ceilings[-1] == LONGEST_SECONDS


def test_a_longest_wait_of_its_own_is_kept_to() -> None:
    """A line that waits to be stored is sent again soon after the server can store it."""
    waits = Backoff(lambda _, ceiling: ceiling, longest=8.0)
    assert [waits.next() for _ in range(7)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_the_server_says_how_long_to_wait_at_least_and_jitter_comes_on_top() -> None:
    assert Backoff(_at_once).next(5000) == 5.0
    assert Backoff(_at_the_ceiling).next(5000) == 5.0 + FIRST_SECONDS


def test_a_wait_is_anywhere_between_nothing_and_the_ceiling() -> None:
    """Full jitter: clients that were cut off together do not come back together."""
    waits = [Backoff().next() for _ in range(200)]
    assert all(0 <= wait <= FIRST_SECONDS for wait in waits)
    assert min(waits) < FIRST_SECONDS / 4
    assert max(waits) > FIRST_SECONDS * 3 / 4


def test_a_good_connection_begins_the_waits_anew() -> None:
    waits = Backoff(_at_the_ceiling)
    for _ in range(5):
        waits.next()
    waits.reset()
    assert waits.next() == FIRST_SECONDS


def test_a_thousand_failures_are_no_problem() -> None:
    waits = Backoff(_at_the_ceiling)
    assert [waits.next() for _ in range(1000)][-1] == LONGEST_SECONDS
