"""`allibe chat`: a room in the terminal, over STOMP. A stock client: it knows the protocol only.

wiring      the parts put together; signals
console     stdin and stdout: a prompt, or plain lines
chat        the conversation: connect, subscribe, come back; who is told what
link        one STOMP connection, and the frames that go over it
outbox      what was typed: sent, and kept until it is known to be stored
transcript  what of the room was shown: each entry once
view        messages and notices as lines; others' text made harmless
api         the server's HTTP side, and where the token comes from
endings     how things end, for now or for good, and how long to wait between tries
"""

import os
from collections.abc import Coroutine

from allibe_services.settings import Settings

_STDERR = 2


def run(
    settings: Settings, *, room: str, user: str, url: str, token: str | None
) -> Coroutine[None, None, None]:
    """Chat until the input ends or the user leaves: to be awaited.

    Raises `ValueError` with one line for whatever ends it otherwise.
    """
    from allibe_standalone.terminal.wiring import chat  # noqa: PLC0415 - not for servers: slow

    _fill_standard_descriptors()
    return chat(settings, room=room, user=user, url=url, token=token)


def _fill_standard_descriptors() -> None:
    """Open those of 0 to 2 that were closed, on nothing.

    The loop that is made next would take their numbers for itself, which uvloop ends with an
    abort, and what is read as stdin would be the loop's own wake-up calls.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
