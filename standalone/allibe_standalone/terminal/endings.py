"""How things end for the terminal client: for now (`Lost`) or for good (`CannotChat`).

What the server decides is in its own table (`contracts.disconnects`). What the client finds out by
itself has the code 1006, which no peer sends (RFC 6455 §7.4.1).
"""

from allibe_services.contracts.disconnects import TABLE, Disconnect
from allibe_standalone.terminal.text import visible

CONNECTION_LOST = Disconnect(1006, "connection lost", reconnect=True)
SILENCE = Disconnect(1006, "no heart-beat from the server", reconnect=True)
NO_ANSWER = Disconnect(1006, "the server does not answer", reconnect=True)

_BY_CODE = {disconnect.code: disconnect for disconnect in TABLE}


class CannotChat(ValueError):
    """Over for good; the text is the one line that the user gets."""

    def __init__(self, text: str) -> None:
        super().__init__(visible(text))


class Lost(Exception):
    """Over for now, unless `disconnect` says otherwise; `text` is the reason in words."""

    def __init__(self, disconnect: Disconnect, text: str = "") -> None:
        self.disconnect = disconnect
        self.text = visible(text or disconnect.reason)
        super().__init__(self.text)


def disconnect_of(code: int) -> Disconnect:
    """Return what a close code stands for; one that the table does not have is a lost connection.

    Later servers may have more codes, and proxies have their own: coming back harms neither.
    """
    return _BY_CODE.get(code, CONNECTION_LOST)
