"""`store.batch`: offsets and duplicates without a database."""

from allibe_services.contracts.commands import Rejected, Stored
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.rooms import Head
from allibe_services.store.batch import Batch
from tests.support.commands import post

from .looks import ONE

HEADS = {ONE: Head("e1", 5), RoomId("2"): Head("e2", 0)}


def test_offsets_follow_the_heads() -> None:
    batch = Batch(HEADS)
    outcomes = [batch.take(post(room=room)) for room in ("1", "2", "1")]

    positions = [str(o.message.position) for o in outcomes if isinstance(o, Stored)]
    assert positions == ["1.e1.6", "2.e2.1", "1.e1.7"]
    assert [str(m.position) for m in batch.fresh] == positions


def test_a_withdrawn_message_leaves_offset_and_ids_free() -> None:
    batch = Batch(HEADS)
    batch.take(post("kept"))
    refused = post("refused", client="c-1")
    batch.take(refused)

    batch.withdraw()

    assert [m.content for m in batch.fresh] == ["kept"]
    again = batch.take(refused)
    assert isinstance(again, Stored)
    assert (again.message.offset, again.duplicate) == (7, False)


def test_what_is_stored_already_is_a_duplicate_by_either_id() -> None:
    stored = Batch(HEADS)
    first = stored.take(post(client="c-1"))
    assert isinstance(first, Stored)

    batch = Batch(HEADS, [first.message])

    assert batch.take(post("again", client="c-1")) == Stored(first.message, duplicate=True)
    assert batch.fresh == []
    assert isinstance(batch.take(post(room="3")), Rejected)
