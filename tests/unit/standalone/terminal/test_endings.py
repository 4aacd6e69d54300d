"""`terminal.endings`: close codes by the server's own table."""

import pytest

from allibe_services.contracts.disconnects import TABLE, TOKEN_EXPIRED, Disconnect
from allibe_standalone.terminal.endings import CONNECTION_LOST, CannotChat, Lost, disconnect_of


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
