"""`terminal.outbox`: a line stays until it is known to be stored."""

from allibe_standalone.terminal.outbox import Outbox


def _taken(outbox: Outbox) -> list[str]:
    return [entry.content for entry in iter(outbox.take, None)]


def test_each_line_is_sent_once_and_in_order() -> None:
    outbox = Outbox()
    for line in ("one", "two", "three"):
        outbox.add(line)
    assert _taken(outbox) == ["one", "two", "three"]
    assert _taken(outbox) == []
    assert len(outbox) == 3


def test_after_a_loss_what_has_no_receipt_is_sent_again_under_the_same_id() -> None:
    outbox = Outbox()
    entries = [outbox.add(line) for line in ("one", "two", "three")]
    _taken(outbox)
    outbox.confirm(entries[1].client_message_id)
    outbox.all_again()
    assert list(iter(outbox.take, None)) == [entries[0], entries[2]]


def test_ids_differ_also_for_equal_lines() -> None:
    outbox = Outbox()
    assert outbox.add("same").client_message_id != outbox.add("same").client_message_id


def test_a_receipt_ends_the_wait_and_the_message_coming_back_does_too() -> None:
    outbox = Outbox()
    receipted, seen = outbox.add("one"), outbox.add("two")
    _taken(outbox)
    outbox.confirm(receipted.client_message_id)
    outbox.seen(seen.client_message_id)
    assert len(outbox) == 0
    outbox.all_again()
    assert _taken(outbox) == []


def test_what_has_a_receipt_is_unseen_until_it_comes_back() -> None:
    outbox = Outbox()
    entry = outbox.add("one")
    assert outbox.unseen == 0
    outbox.confirm(entry.client_message_id)
    assert outbox.unseen == 1
    outbox.seen(entry.client_message_id)
    assert outbox.unseen == 0


def test_nothing_is_unseen_after_a_gap() -> None:
    outbox = Outbox()
    outbox.confirm(outbox.add("one").client_message_id)
    outbox.expect_none()
    assert outbox.unseen == 0


def test_a_refused_line_is_gone_and_a_failed_one_is_sent_again() -> None:
    outbox = Outbox()
    refused, failed = outbox.add("one"), outbox.add("two")
    _taken(outbox)
    assert outbox.refuse(refused.client_message_id) == refused
    assert outbox.again(failed.client_message_id)
    assert _taken(outbox) == ["two"]


def test_receipts_and_messages_of_others_change_nothing() -> None:
    outbox = Outbox()
    outbox.add("one")
    outbox.confirm("nobody's")
    outbox.seen("nobody's")
    outbox.seen(None)
    assert outbox.refuse("nobody's") is None
    assert not outbox.again("nobody's")
    assert (len(outbox), outbox.unseen) == (1, 0)
