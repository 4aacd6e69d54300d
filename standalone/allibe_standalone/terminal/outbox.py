"""What was typed and is not known to be stored.

An entry stays from the line typed to the receipt, over any number of connections; its
`clientMessageId` is what makes sending it again harmless. Where the sender's own message comes
back from the room before its receipt does, that is as good.
"""

import msgspec
from uuid_utils import uuid7


class Entry(msgspec.Struct, frozen=True):
    """One line, under the id that makes it the same line each time that it is sent."""

    client_message_id: str
    content: str


class Outbox:
    """Entries in the order in which they were typed."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._sent: set[str] = set()
        self._unseen: set[str] = set()

    def __len__(self) -> int:
        """Return how many have no receipt."""
        return len(self._entries)

    @property
    def unseen(self) -> int:
        """How many have a receipt and have not come back from the room yet."""
        return len(self._unseen)

    def add(self, content: str) -> Entry:
        """Keep a line until it is confirmed or refused."""
        entry = Entry(str(uuid7()), content)
        self._entries[entry.client_message_id] = entry
        return entry

    def take(self) -> Entry | None:
        """Return the next entry to send, which from now on counts as sent; None without one.

        It counts before it is written: were it the other way round, a connection that changes
        during the write would leave it out.
        """
        for entry in self._entries.values():
            if entry.client_message_id not in self._sent:
                self._sent.add(entry.client_message_id)
                return entry
        return None

    def confirm(self, client_message_id: str) -> None:
        """The server has it: a receipt came."""
        if self._drop(client_message_id) is not None:
            self._unseen.add(client_message_id)

    def seen(self, client_message_id: str | None) -> None:
        """It came back from the room, so it is stored, receipt or not."""
        if client_message_id is not None:
            self._drop(client_message_id)
            self._unseen.discard(client_message_id)

    def refuse(self, client_message_id: str) -> Entry | None:
        """Return the entry that the server does not take, and forget it; None where unknown."""
        return self._drop(client_message_id)

    def again(self, client_message_id: str) -> bool:
        """Send this one again, later; False where it is unknown."""
        self._sent.discard(client_message_id)
        return client_message_id in self._entries

    def all_again(self) -> None:
        """Send all again that has no receipt: the connection that it went over is gone."""
        self._sent.clear()

    def expect_none(self) -> None:
        """Wait for no message to come back: the stream went on without some."""
        self._unseen.clear()

    def _drop(self, client_message_id: str) -> Entry | None:
        self._sent.discard(client_message_id)
        return self._entries.pop(client_message_id, None)
