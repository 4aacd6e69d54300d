"""Every statement of the store on PostgreSQL: sought by an index, however much there is."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import Decision, QuietHours
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import DeadWay
from allibe_services.contracts.rooms import Role
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.retention import Retention
from allibe_services.store.sql import SqlStore
from tests.support.commands import post
from tests.support.plans import MODES, explain
from tests.support.push_browser import PushBrowser
from tests.support.push_queue import dead_push, decide_all, turn

from .conftest import Open
from .looks import ONE, other_client

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")

BIG = RoomId("r7")

FILL = """
INSERT INTO rooms (room_id, name, epoch, created_at, created_by, last_offset)
    SELECT 'r' || n, 'Room', 'e', n, 'alice', 2 FROM generate_series(1, 30000) n;
INSERT INTO members (room_id, user_id, role, joined_at)
    SELECT 'r' || n, 'user-' || (n + k) % 20000, 'member', n
    FROM generate_series(1, 30000) n, generate_series(1, 2) k;
INSERT INTO messages (room_id, "offset", message_id, sender, content, sent_at, client_message_id)
    SELECT 'r' || n, k, n || '-' || k, 'user-' || (n + k) % 20000, 'hello', n, k
    FROM generate_series(1, 30000) n, generate_series(1, 2) k;
INSERT INTO messages (room_id, "offset", message_id, sender, content, sent_at, client_message_id)
    SELECT 'r7', k, 'big-' || k, 'user-' || k % 10, 'hello', k, k
    FROM generate_series(3, 30000) k;
UPDATE rooms SET last_offset = 30000 WHERE room_id = 'r7';
INSERT INTO muted_rooms SELECT room_id, user_id, joined_at FROM members;
INSERT INTO notification_settings
    SELECT 'user-' || n, 0, 60, 'UTC' FROM generate_series(1, 20000) n;
INSERT INTO push_progress SELECT room_id, last_offset, last_offset, '' FROM rooms
    WHERE room_id LIKE 'r%';
INSERT INTO push_subscriptions
    SELECT 'browser-' || n, 'user-' || n, 'https://push.example.net/', 'key', 'secret', n
    FROM generate_series(1, 20000) n;
INSERT INTO push_users (user_id, due_at)
    SELECT 'user-' || n, 9000000000000 + n FROM generate_series(1, 20000) n;
INSERT INTO pushes (user_id, room_id, push_id, first_offset, told_offset, due_at, expires_at)
    SELECT user_id, room_id, 'push', 1, 2, 9000000000000, 9000000000000 FROM members;
INSERT INTO dead_pushes SELECT joined_at, '01955b3c-7a45-7c21-9f8e-2d6f0b6a1c53', user_id || '-'
    || room_id, user_id, room_id, 1, 'https://push.test', 'gave_up', 'timed_out', 8 FROM members;
INSERT INTO push_decisions SELECT user_id, room_id, 'sent', 1, joined_at FROM members;
ANALYZE
"""


class Heard:
    """What PostgreSQL was asked, with one set of parameters for each statement."""

    def __init__(self, database: PostgresqlDatabase) -> None:
        self.texts: dict[str, Any] = {}
        event.listen(database._writing.sync_engine, "before_cursor_execute", self._hear)

    def _hear(
        self, _connection: Connection, _cursor: object, text: str, parameters: Any, *rest: object
    ) -> None:
        self.texts[text] = parameters[0] if rest[-1] else parameters


@pytest.fixture
async def plans(store: SqlStore, open_store: Open, url: str) -> dict[str, str]:
    """Call everything that the store offers among much else; the plan of each statement.

    As if reading whole tables were as good as anything: what is found must be worth it.
    """
    async with other_client(url) as other:
        await other.execute(FILL)
    return await _explained(open_store(), seqscan="on")


async def _explained(store: SqlStore, *, seqscan: str | None = None) -> dict[str, str]:
    assert isinstance(store._database, PostgresqlDatabase)
    heard = Heard(store._database)
    await _use(store)
    texts = dict(heard.texts)
    return await store._database.write(_plans, texts, seqscan)


async def _use(store: SqlStore) -> None:
    three = RoomId("3")
    await store.rooms.create("room", ALICE, members=[BOB], room_id=three)
    await store.rooms.get(three, ALICE)
    await store.rooms.of_user(UserId("user-7"), most=2)
    await store.rooms.of_user(UserId("user-7"), most=2, after=(now(), RoomId("0")))
    await store.log.append([post(room="3", client="c-1")])
    many = [post(room=f"r{n}", client=f"c-{n}") for n in range(50)]
    many += [post(room="r7", client=f"{n}", sender="user-7") for n in range(50)]
    await store.log.append(many)
    await store.log.append([*many, post(), *(post(room=f"r{n % 50}") for n in range(300))])
    await store.log.after(BIG, 15_000, most=50)
    await store.log.before(BIG, None, most=50)
    await store.log.heads([ONE, three])
    await store.members.role(three, ALICE)
    await store.members.roles([(three, ALICE), (ONE, BOB)])
    await store.members.of_room(three, most=2)
    await store.members.among(three, [ALICE, CAROL])
    await store.members.add(three, CAROL, Role.MEMBER)
    await store.members.change_role(three, CAROL, Role.OWNER)
    await store.members.remove(three, CAROL)
    await store.members.mark_read(three, BOB, 1)
    await store.members.unread({BIG: None}, most=2)
    await store.notifications.mute(BOB, three, now())
    await store.notifications.settings(BOB)
    await store.notifications.unmute(BOB, three)
    await store.notifications.decisions(BOB)
    for quiet in (QuietHours(0, 60, "Asia/Seoul"), None):
        await store.notifications.change_settings(BOB, quiet_hours=quiet)
    await _use_pushes(store, three)
    last = Decision(three, PushReason.READ, 1, now())
    await store.notifications.decisions(BOB, after=last)
    await _use_retention(Retention(store._database))


async def _use_pushes(store: SqlStore, room_id: RoomId) -> None:
    browser = PushBrowser().subscription("https://push.example.net/1")
    await store.pushes.subscribe(BOB, browser)
    await store.pushes.subscriptions(BOB)
    await decide_all(store, room_id, due_at={BOB: now()})
    one = await turn(store)
    dead = (DeadWay(PushReason.GAVE_UP, PushReason.UNAVAILABLE),)
    end = one.end(gone=("x",), reasons=(PushReason.SENT,), dead=dead)
    await store.push_queue.end([end], newer_at=now())
    await store.notifications.dead(most=2)
    await store.notifications.dead(most=2, after=dead_push(1))
    await store.push_queue.behind(None, most=2000, since=now(), until=now())
    await store.push_queue.forget(most=10)
    await store.pushes.unsubscribe(BOB, browser.endpoint)


async def _use_retention(retention: Retention) -> None:
    tomorrow = now() + timedelta(days=1)
    await retention.check_room(ONE)
    await retention.rooms_from_before(tomorrow)
    await retention.count(ONE, before=tomorrow, keep_last=1)
    await retention.prune(ONE, before=tomorrow, keep_last=1)
    await retention.memberships(BOB)
    await retention.leave(RoomId("3"), BOB)
    await retention.rooms_of(UserId("user-7"))
    await retention.erase(BIG, UserId("user-7"))


def _plans(connection: Connection, texts: dict[str, Any], seqscan: str | None) -> dict[str, str]:
    """Explain each twice: for its parameters, and for any, as PostgreSQL does from the sixth on."""
    explained = {}
    if seqscan is not None:
        connection.exec_driver_sql(f"SET LOCAL enable_seqscan = {seqscan}")
    for mode in MODES:
        for text, parameters in texts.items():
            if not text.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                rows = explain(connection, text, parameters, mode)
                explained[f"-- {mode}\n{text}"] = "\n".join(rows)
    return explained


async def test_no_statement_reads_a_whole_table(plans: dict[str, str]) -> None:
    assert len(plans) > 40
    scanned = {text: plan for text, plan in plans.items() if "Seq Scan" in plan}
    assert scanned == {}
    for_any = {text.splitlines()[0] for text, plan in plans.items() if "$1" in plan}
    assert for_any == {"-- force_generic_plan"}


async def test_the_hot_ones_use_the_index_that_is_made_for_them(plans: dict[str, str]) -> None:
    """The reason of each index: see `store.tables`."""
    expected = {
        "FOR NO KEY UPDATE": "pk_rooms",
        "UPDATE rooms SET last_offset": "pk_rooms",
        '"offset" > $': "_pkey on messages_",
        '"offset" < $': "_pkey on messages_",
        "message_id = anon_1.id": "_message_id_room_id_key on messages_",
        'COLLATE "POSIX"': "_room_id_sender_client_message_id_idx on messages_",
        "FROM members JOIN rooms": "ix_members_user_id",
        "AS own)": "_room_id_sender_offset_idx on messages_",
    }
    for part, index in expected.items():
        found = [plan for text, plan in plans.items() if part in text]
        assert sum(index in plan for plan in found) >= 2, (part, found)  # both kinds of plan


async def test_lists_are_one_parameter_whatever_their_length(store: SqlStore) -> None:
    """Else PostgreSQL would plan, and keep, a statement for each length that occurs."""
    assert not [text for text in await _explained(store) if " IN (" in text]


async def test_a_plan_from_when_there_was_nothing_serves_when_there_is_much(
    store: SqlStore, url: str
) -> None:
    """A process keeps its plans until PostgreSQL analyses the table, which may take a minute."""
    async with other_client(url) as other:
        await other.execute("VACUUM ANALYZE")
    plans = await _explained(store)
    assert len(plans) > 40
    assert {text: plan for text, plan in plans.items() if "Seq Scan" in plan} == {}
