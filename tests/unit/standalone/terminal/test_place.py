"""`terminal.place`: nothing twice, and a start for recovery."""

from allibe_services.contracts.ids import Position, RoomId
from allibe_standalone.terminal.place import Place


def at(offset: int, epoch: str = "e1") -> Position:
    return Position(RoomId("1"), epoch, offset)


def test_what_lies_behind_is_not_shown_again() -> None:
    place = Place()
    assert place.pass_by(at(7))
    assert not place.pass_by(at(7))
    assert not place.pass_by(at(6))
    assert place.pass_by(at(8))
    assert place.position == at(8)


def test_another_epoch_is_always_new() -> None:
    """Offsets of two epochs cannot be compared: the log was reset."""
    place = Place()
    place.pass_by(at(7))
    assert place.pass_by(at(2, "e2"))
    assert place.position == at(2, "e2")


def test_looking_ahead_moves_nothing() -> None:
    place = Place()
    assert place.is_ahead(at(1))
    assert place.position is None


def test_a_jump_goes_back_too() -> None:
    """A restored log may be shorter than what was shown of it."""
    place = Place()
    place.jump(at(7))
    place.jump(at(3))
    assert place.pass_by(at(4))
