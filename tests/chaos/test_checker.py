"""The checker sees every kind of fault: one is planted, and found under its invariant."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.checker import Attempt, Life, Memory, Message, Receipt, Run, Stream, check

SENT = (
    ("phone", "1", "alice", "a1"),
    ("laptop", "1", "bob", "b1"),
    ("phone", "1", "alice", "a2"),
    ("laptop", "1", "bob", "b2"),
    ("phone", "1", "alice", "a3"),
    ("laptop", "2", "bob", "b3"),
    ("laptop", "2", "bob", "b4"),
)


def _message(room: str, offset: int, sender: str, client_id: str) -> Message:
    return Message(room, "e", offset, f"id-{client_id}", sender, client_id, f"says {client_id}")


def _good() -> Run:
    """Two rooms, a subscriber that was cut off after 2 and recovered, one that came at 1."""
    attempts = [Attempt(*one, content=f"says {one[3]}") for one in SENT]
    one = [_message("1", place, *sent[2:]) for place, sent in enumerate(SENT[:5], start=1)]
    two = [_message("2", place, *sent[2:]) for place, sent in enumerate(SENT[5:], start=1)]
    return Run(
        members={"1": {"alice", "bob", "carol"}, "2": {"alice", "bob"}},
        attempts=attempts,
        receipts=[Receipt(*sent[1:], offset=None) for sent in SENT[:-1]],
        streams=[
            Stream(
                "carol's",
                "carol",
                "1",
                lives=[
                    Life(began=0, got=one[:2]),
                    Life(since=2),  # cut off again before it began
                    Life(since=2, began=4, recovered=True, got=one[2:]),
                ],
            ),
            Stream("bob's", "bob", "1", lives=[Life(began=1, got=one[1:])]),
            Stream("alice's", "alice", "2", lives=[Life(began=0, got=list(two))]),
        ],
        history={"1": one, "2": two},
        recovery_messages=3,
    )


def _lose_a_receipted_message(run: Run) -> None:
    lost = run.history["2"].pop(0)
    run.history["2"][0] = replace(run.history["2"][0], offset=1)
    run.streams[2].lives = [Life(began=0, got=list(run.history["2"]))]
    assert lost.client_message_id in {receipt.client_message_id for receipt in run.receipts}


def _store_a_message_twice(run: Run) -> None:
    again = replace(run.history["2"][0], offset=3, message_id="another")
    run.history["2"].append(again)
    run.streams[2].lives[0].got.append(again)


def _give_one_message_id_to_two(run: Run) -> None:
    run.history["2"][1] = twin = replace(run.history["2"][1], message_id="id-b3")
    run.streams[2].lives[0].got[1] = twin


def _leave_a_hole_in_history(run: Run) -> None:
    run.history["2"][1] = moved = replace(run.history["2"][1], offset=3)
    run.streams[2].lives = [Life(began=2, got=[moved])]


def _receipt_another_offset(run: Run) -> None:
    run.receipts[0] = replace(run.receipts[0], offset=2)


def _invent_a_message(run: Run) -> None:
    ghost = _message("2", 3, "bob", "ghost")
    run.history["2"].append(ghost)
    run.streams[2].lives[0].got.append(ghost)


def _change_a_content(run: Run) -> None:
    run.attempts[5] = replace(run.attempts[5], content="said otherwise")


def _leave_a_message_out_of_a_stream(run: Run) -> None:
    del run.streams[1].lives[0].got[1]


def _give_a_message_twice(run: Run) -> None:
    got = run.streams[1].lives[0].got
    got.insert(1, got[0])


def _swap_two_in_a_stream(run: Run) -> None:
    got = run.streams[1].lives[0].got
    got[0], got[1] = got[1], got[0]


def _show_what_is_not_stored(run: Run) -> None:
    run.streams[1].lives[0].got.append(_message("1", 6, "bob", "never"))


def _show_another_content(run: Run) -> None:
    got = run.streams[1].lives[0].got
    got[0] = replace(got[0], content="something else")


def _withhold_the_last_message(run: Run) -> None:
    run.streams[1].lives[0].got.pop()


def _swap_two_of_one_sender(run: Run) -> None:
    room = run.history["1"]
    room[0], room[2] = replace(room[2], offset=1), replace(room[0], offset=3)
    run.streams = []


def _repeat_a_message_on_recovery(run: Run) -> None:
    life = run.streams[0].lives[2]
    life.got.insert(0, run.history["1"][1])


def _skip_a_message_on_recovery(run: Run) -> None:
    life = run.streams[0].lives[2]
    life.began = 3
    del life.got[0]


def _promise_more_than_was_replayed(run: Run) -> None:
    stream = run.streams[0]
    stream.complete = False
    stream.lives[2].got = [run.history["1"][2]]


def _do_not_recover_a_short_gap(run: Run) -> None:
    life = run.streams[0].lives[2]
    life.recovered = False
    del life.got[:2]


def _say_nothing_of_a_recovery(run: Run) -> None:
    run.streams[0].lives[2].recovered = None


def _put_a_message_into_another_room(run: Run) -> None:
    run.history["2"][0] = replace(run.history["2"][0], room="1")


def _let_a_stranger_send(run: Run) -> None:
    run.members["2"].discard("bob")


def _deliver_to_a_stranger(run: Run) -> None:
    run.members["2"].discard("alice")


def _deliver_across_rooms(run: Run) -> None:
    run.streams[2].lives[0].got.append(run.history["1"][0])


def _take_more_memory_than_allowed(run: Run) -> None:
    run.memory.append(Memory("gateway-1", highest=301 << 20, allowed=300 << 20))


def _recover_late(run: Run) -> None:
    run.streams[0].lives[2].seconds = run.recovery_seconds + 1


def _do_not_answer_a_subscription(run: Run) -> None:
    run.streams[0].lives[1].seconds = run.recovery_seconds + 1


def _find_a_lost_event_late(run: Run) -> None:
    run.unseen = run.unseen_seconds + 1


FAULTS: list[tuple[str, Callable[[Run], None]]] = [
    ("I1", _lose_a_receipted_message),
    ("I1", _store_a_message_twice),
    ("I1", _give_one_message_id_to_two),
    ("I1", _leave_a_hole_in_history),
    ("I1", _receipt_another_offset),
    ("I2", _invent_a_message),
    ("I2", _change_a_content),
    ("I3", _leave_a_message_out_of_a_stream),
    ("I3", _give_a_message_twice),
    ("I3", _swap_two_in_a_stream),
    ("I3", _show_what_is_not_stored),
    ("I3", _show_another_content),
    ("I3", _withhold_the_last_message),
    ("I4", _swap_two_of_one_sender),
    ("I5", _repeat_a_message_on_recovery),
    ("I5", _skip_a_message_on_recovery),
    ("I5", _promise_more_than_was_replayed),
    ("I5", _do_not_recover_a_short_gap),
    ("I5", _say_nothing_of_a_recovery),
    ("I6", _put_a_message_into_another_room),
    ("I6", _let_a_stranger_send),
    ("I6", _deliver_to_a_stranger),
    ("I6", _deliver_across_rooms),
    ("I7", _take_more_memory_than_allowed),
    ("I8", _recover_late),
    ("I8", _do_not_answer_a_subscription),
    ("I8", _find_a_lost_event_late),
]


def test_a_run_in_which_all_holds_has_no_violation() -> None:
    """Un-receipted messages may be stored or not; both ways are right."""
    assert check(_good()) == []


@pytest.mark.parametrize(("invariant", "plant"), FAULTS, ids=[one.__name__ for _, one in FAULTS])
def test_a_planted_fault_is_found(invariant: str, plant: Callable[[Run], None]) -> None:
    """Under its own invariant, whatever else it breaks."""
    run = _good()
    plant(run)
    found = check(run)
    assert invariant in {violation.invariant for violation in found}
    assert all(str(violation).startswith(violation.invariant) for violation in found)


def test_a_gap_longer_than_promised_need_not_be_recovered() -> None:
    """The client is told so, and loads history; what comes from then on is contiguous."""
    run = _good()
    run.recovery_messages = 1
    life = run.streams[0].lives[2]
    life.recovered = False
    del life.got[:2]
    assert check(run) == []


def test_a_stream_that_was_cut_off_need_not_reach_the_end() -> None:
    """Only who listens at the end must have everything."""
    run = _good()
    run.streams[1].complete = False
    del run.streams[1].lives[0].got[2:]
    assert check(run) == []


def test_who_does_not_wait_for_receipts_may_find_another_order() -> None:
    """Its repeats overtake one another: it was promised none."""
    run = _good()
    _swap_two_of_one_sender(run)
    run.attempts = [replace(one, ordered=one.source != "phone") for one in run.attempts]
    assert check(run) == []


def test_an_unreceipted_message_may_be_missing() -> None:
    """Nobody was promised anything."""
    run = _good()
    run.history["2"].pop()
    run.streams[2].lives[0].got.pop()
    assert check(run) == []
