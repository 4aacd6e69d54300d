"""How far the room's log was shown, so that nothing is shown twice and recovery knows its start."""

from allibe_services.contracts.ids import Position


class Place:
    """The position of the last entry that was shown; `None` before the first history."""

    def __init__(self) -> None:
        self.position: Position | None = None

    def pass_by(self, position: Position) -> bool:
        """Move on to an entry; False where it lies behind, which means that it was shown.

        Positions of another epoch cannot be compared: such an entry is always new.
        """
        if not self.is_ahead(position):
            return False
        self.position = position
        return True

    def is_ahead(self, position: Position) -> bool:
        """Tell whether an entry was not shown yet."""
        here = self.position
        return here is None or here.epoch != position.epoch or here.offset < position.offset

    def jump(self, position: Position) -> None:
        """Go on from here, be it back or forward: the server says that this is the end."""
        self.position = position
