"""What the user sees of the room: history, what comes live, notices; each entry once."""

from collections.abc import Callable

from allibe_gateway.stomp import Frame
from allibe_services.contracts.ids import Position, RoomId
from allibe_services.contracts.messages import Message
from allibe_standalone.terminal.api import Page, message_of
from allibe_standalone.terminal.place import Place
from allibe_standalone.terminal.screen import Screen
from allibe_standalone.terminal.view import View


class Transcript:
    """The room's log on a screen. `own` is called with the client's id of each own message."""

    def __init__(
        self,
        room: RoomId,
        user: str,
        *,
        screen: Screen,
        view: View,
        own: Callable[[str | None], None],
    ) -> None:
        self._room = room
        self._user = user
        self._screen = screen
        self._view = view
        self._own = own
        self._place = Place()

    @property
    def position(self) -> Position | None:
        """The last entry that was shown; None before the first history."""
        return self._place.position

    def history(self, page: Page) -> Position:
        """Show what is new in the latest messages; return the end of the log."""
        lines = []
        for message in filter(None, map(message_of, page.messages)):
            self._tell_own(message)
            if self._place.is_ahead(message.position):
                lines += self._view.message(message)
        self._screen.show(lines)
        end = Position(self._room, page.epoch, page.last_offset)
        self._place.jump(end)
        return end

    def entry(self, frame: Frame) -> None:
        """Show an entry that came from the room, unless it was shown before."""
        position = Position.parse(frame.headers.get("message-id", ""))
        if position is None or not self._place.pass_by(position):
            return
        message = message_of(frame.body)
        if message is None:
            return  # a kind of entry that came with a later server
        self._tell_own(message)
        self._screen.show(self._view.message(message))

    def say(self, text: str) -> None:
        """Show a notice."""
        self._screen.show(self._view.notice(text))

    def _tell_own(self, message: Message) -> None:
        if message.sender == self._user:
            self._own(message.client_message_id)
