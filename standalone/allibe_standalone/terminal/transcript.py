"""What the user sees of the room: history, what comes live, notices; each entry once."""

from collections.abc import Callable

from allibe_gateway.stomp import Frame
from allibe_services.contracts.ids import Position, RoomId
from allibe_services.contracts.messages import Message
from allibe_standalone.terminal.api import Page, message_of
from allibe_standalone.terminal.console import Console
from allibe_standalone.terminal.view import View


class Transcript:
    """The room's log as shown. `own` is called with the client's id of each own message.

    `position` is the last entry that was shown, where recovery starts; None before the history.
    """

    def __init__(
        self, room: RoomId, user: str, *, console: Console, own: Callable[[str | None], None]
    ) -> None:
        self.position: Position | None = None
        self._room = room
        self._user = user
        self._show = console.show
        self._view = View(user, columns=console.columns, styled=console.interactive)
        self._own = own

    def history(self, page: Page) -> Position:
        """Show what is new in the latest messages; return the end of the log, be it further back.

        A restored log may be shorter than what was shown of it.
        """
        self._show(line for entry in page.messages for line in self._new(message_of(entry)))
        self.position = Position(self._room, page.epoch, page.last_offset)
        return self.position

    def entry(self, frame: Frame) -> None:
        """Show an entry that came from the room, unless it was shown before."""
        position = Position.parse(frame.headers.get("message-id", ""))
        if position is not None and self._is_ahead(position):
            self._show(self._new(message_of(frame.body)))
            self.position = position

    def say(self, text: str) -> None:
        """Show a notice."""
        self._show(self._view.notice(text))

    def _new(self, message: Message | None) -> list[str]:
        """Return a message's lines; none for one that was shown, or a later server's entry."""
        if message is None:
            return []
        if message.sender == self._user:
            self._own(message.client_message_id)
        return self._view.message(message) if self._is_ahead(message.position) else []

    def _is_ahead(self, position: Position) -> bool:
        """Tell whether an entry is new; one of another epoch is: the two cannot be compared."""
        here = self.position
        return here is None or here.epoch != position.epoch or here.offset < position.offset
