"""`push.deciding`: who is pushed something, when, and why not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from allibe_fanout_worker.push.deciding import (
    MemberRules,
    Over,
    Send,
    Wait,
    at_its_time,
    told,
)
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.notifications import QuietHours
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import Candidate, DuePush, NewsPage
from allibe_services.rates.rate import Rate

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ALICE, BOB = UserId("alice"), UserId("bob")
HOUR = timedelta(hours=1)


def due(**changed: Any) -> DuePush:
    values: dict[str, Any] = {
        "user": BOB,
        "room_id": RoomId("1"),
        "push_id": "p-1",
        "room_name": "Project Team",
        "first_offset": 1,
        "told_offset": 1,
        "expires_at": NOW + HOUR,
        "tries": 0,
        "done": frozenset(),
        "is_member": True,
        "is_muted": False,
        "messages": 1,
        "unread_count": 4,
        "newest": ("Alice", "hello"),
        "quiet_hours": None,
        "free_at": NOW - HOUR,
        "browsers": (),
    }
    return DuePush(**values | changed)


def verdict(push: DuePush, **given: Any) -> Send | Wait | Over:
    how: dict[str, Any] = {"looks": False, "has_ways": True, "rate": None, "now": NOW}
    return at_its_time(push, **how | given)


class TestWhenThereIsNews:
    def decided(
        self, candidate: Candidate, *, sender: UserId | None = ALICE, everybody: bool = False
    ) -> tuple[PushReason, timedelta | None]:
        page = NewsPage(RoomId("1"), 4, 9, 4, "", True, sender, [candidate])
        rules = MemberRules(delay=timedelta(seconds=10), reaches_everybody=everybody)
        (one,) = rules.decide(
            page, looking={UserId("looker")}, connected={UserId("elsewhere")}, now=NOW
        )
        assert one.user == candidate.user
        return one.reason, None if one.due_at is None else one.due_at - NOW

    def test_who_is_offline_is_due_at_once_and_who_is_elsewhere_after_the_delay(self) -> None:
        scheduled = PushReason.SCHEDULED
        assert self.decided(Candidate(BOB, 4, False, True)) == (scheduled, timedelta(0))
        elsewhere = Candidate(UserId("elsewhere"), 4, False, True)
        assert self.decided(elsewhere) == (scheduled, timedelta(seconds=10))

    @pytest.mark.parametrize(
        ("candidate", "reason"),
        [
            (Candidate(BOB, 9, False, True), PushReason.READ),
            (Candidate(ALICE, 4, False, True), PushReason.OWN),
            (Candidate(BOB, 8, True, True), PushReason.MUTED),
            (Candidate(UserId("looker"), 4, False, True), PushReason.LOOKING),
            (Candidate(BOB, 4, False, False), PushReason.NO_SUBSCRIPTION),
        ],
    )
    def test_others_are_not(self, candidate: Candidate, reason: PushReason) -> None:
        assert self.decided(candidate) == (reason, None)

    def test_a_webhook_reaches_who_has_no_browser(self) -> None:
        without = Candidate(BOB, 4, False, False)
        assert self.decided(without, everybody=True)[0] is PushReason.SCHEDULED

    def test_who_sent_a_part_of_it_is(self) -> None:
        alice = Candidate(ALICE, 4, False, True)
        assert self.decided(alice, sender=None)[0] is PushReason.SCHEDULED


class TestAtItsTime:
    def test_it_is_sent(self) -> None:
        assert verdict(due()) == Send(NOW - HOUR)

    @pytest.mark.parametrize(
        ("push", "given", "reason"),
        [
            (due(is_member=False, messages=0), {}, PushReason.NOT_A_MEMBER),
            (due(messages=0), {}, PushReason.READ),
            (due(is_muted=True), {}, PushReason.MUTED),
            (due(), {"looks": True}, PushReason.LOOKING),
            (due(expires_at=NOW), {}, PushReason.EXPIRED),
            (due(), {"has_ways": False}, PushReason.NO_SUBSCRIPTION),
        ],
    )
    def test_it_is_not(self, push: DuePush, given: dict[str, Any], reason: PushReason) -> None:
        assert verdict(push, **given) == Over(reason)
        tried = msgspec.structs.replace(push, tries=1)
        assert verdict(tried, **given) == Over(reason)

    def test_quiet_hours_put_it_off_to_their_end(self) -> None:
        quiet = QuietHours(11 * 60, 13 * 60, "UTC")
        expected = Wait(NOW + HOUR, PushReason.QUIET_HOURS)
        assert verdict(due(quiet_hours=quiet)) == expected
        assert verdict(due(quiet_hours=quiet, tries=3)) == expected
        assert verdict(due(quiet_hours=quiet), now=NOW + HOUR - timedelta(seconds=1)) == expected

    def test_so_many_at_once_then_so_many_a_second(self) -> None:
        rate = Rate(per_second=0.5, burst=3)
        free_at, sent = NOW - HOUR, 0
        while isinstance(one := verdict(due(free_at=free_at), rate=rate), Send):
            free_at, sent = one.free_at, sent + 1
        assert sent == 3
        assert one == Wait(NOW + timedelta(seconds=2), PushReason.RATE_LIMITED, holds=True)
        assert isinstance(verdict(due(free_at=free_at), rate=rate, now=one.until), Send)

    def test_another_try_costs_nothing(self) -> None:
        rate = Rate(per_second=0.5, burst=1)
        spent = NOW + HOUR
        assert verdict(due(tries=1, free_at=spent), rate=rate) == Send(spent)


class TestWhatIsTold:
    def test_one_message_is_told_itself(self) -> None:
        push = told(due(), now=NOW)
        assert (push.title, push.body) == ("Project Team", "Alice: hello")
        assert (push.messages, push.unread_count, push.ttl) == (1, 4, 3600)

    def test_up_to_where_it_tells_is_told_and_another_push_where_that_is_further(self) -> None:
        one, more = told(due(), now=NOW), told(due(told_offset=2), now=NOW)
        assert (one.offset, more.offset) == (1, 2)
        assert one.push_id == told(due(unread_count=1), now=NOW).push_id != more.push_id

    def test_what_expires_right_now_may_still_be_told(self) -> None:
        assert told(due(expires_at=NOW - timedelta(seconds=3)), now=NOW).ttl == 0

    def test_of_several_their_number(self) -> None:
        push = told(due(messages=3), now=NOW)
        assert push.body == "3 new messages in Project Team"

    def test_the_users_own_text_is_not_told(self) -> None:
        push = told(due(newest=None), now=NOW)
        assert push.body == "1 new message in Project Team"
