"""Every statement of the store: PostgreSQL compiles it too, and SQLite seeks rather than scans."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ClauseElement, Connection, event
from sqlalchemy.dialects.postgresql.base import PGDialect

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import Decision, QuietHours
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import DeadWay
from allibe_services.contracts.rooms import Role
from allibe_services.store.retention import Retention
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from tests.support.commands import post
from tests.support.push_browser import PushBrowser
from tests.support.push_queue import dead_push, decide_all, turn

from .looks import ALICE, ONE

BOB = UserId("bob")


class Heard:
    """What was executed: as SQLAlchemy has it, and as SQLite got it."""

    def __init__(self) -> None:
        self.statements: list[ClauseElement] = []
        self.texts: dict[str, Any] = {}

    def statement(self, _connection: Connection, statement: ClauseElement, *_: object) -> None:
        self.statements.append(statement)

    def text(
        self, _connection: Connection, _driver: object, text: str, parameters: Any, *rest: object
    ) -> None:
        many = rest[-1]
        self.texts[text] = parameters[0] if many else parameters


@pytest.fixture
async def heard(database: SqliteDatabase, store: SqlStore) -> Heard:
    """Call everything that the store offers, once."""
    heard = Heard()
    for threads in (database._writer, database._readers):
        event.listen(threads._engine, "before_execute", heard.statement)
        event.listen(threads._engine, "before_cursor_execute", heard.text)
    await _use_rooms(store)
    await _use_log(store)
    await _use_members(store)
    await _use_notifications(store)
    await _use_push_queue(store)
    await _use_retention(Retention(database))
    return heard


async def _use_rooms(store: SqlStore) -> None:
    await store.rooms.create("room", ALICE, members=[BOB], room_id=ONE)
    await store.rooms.get(ONE, ALICE)
    await store.rooms.of_user(ALICE, most=2)
    await store.rooms.of_user(ALICE, most=2, after=(now(), RoomId("0")))
    await store.ping()


async def _use_notifications(store: SqlStore) -> None:
    browser = PushBrowser().subscription("https://push.example.net/1")
    await store.pushes.subscribe(ALICE, browser)
    await store.pushes.subscriptions(ALICE)
    await store.pushes.unsubscribe(ALICE, browser.endpoint)
    for quiet in (QuietHours(0, 60, "Asia/Seoul"), None):
        await store.notifications.change_settings(ALICE, quiet_hours=quiet)
    await store.notifications.mute(ALICE, ONE, now())
    await store.notifications.unmute(ALICE, ONE)
    await store.notifications.decisions(ALICE)
    last = Decision(ONE, PushReason.READ, 1, now())
    await store.notifications.decisions(ALICE, after=last)


async def _use_push_queue(store: SqlStore) -> None:
    await store.log.append([post()])
    await decide_all(store, ONE, due_at={BOB: now()})
    await store.push_queue.behind(None, most=2, since=now(), until=now())
    one = await turn(store)
    dead = (DeadWay(PushReason.GAVE_UP, PushReason.UNAVAILABLE),)
    end = one.end(gone=("x",), reasons=(PushReason.SENT,), dead=dead)
    await store.push_queue.end([end], newer_at=now())
    await store.notifications.dead(most=2)
    await store.notifications.dead(most=2, after=dead_push(1))
    await store.push_queue.forget(most=2)


async def _use_log(store: SqlStore) -> None:
    command = post(client="c-1")
    await store.log.append([command])
    await store.log.append([command, post()])
    await store.log.after(ONE, 0, most=5)
    await store.log.before(ONE, None, most=5)
    await store.log.heads([ONE])


async def _use_retention(retention: Retention) -> None:
    await retention.check_room(ONE)
    await retention.rooms_from_before(now())
    await retention.count(ONE, before=now(), keep_last=1)
    await retention.prune(ONE, before=now() + timedelta(days=1), keep_last=1)
    await retention.memberships(BOB)
    await retention.leave(ONE, ALICE)
    await retention.rooms_of(ALICE)
    await retention.erase(ONE, ALICE)


async def _use_members(store: SqlStore) -> None:
    carol = UserId("carol")
    await store.members.role(ONE, ALICE)
    await store.members.roles([(ONE, ALICE), (ONE, BOB), (RoomId("2"), BOB)])
    await store.members.of_room(ONE, most=2)
    await store.members.add(ONE, carol, Role.MEMBER)
    await store.members.change_role(ONE, carol, Role.OWNER)
    await store.members.remove(ONE, carol)
    await store.members.mark_read(ONE, BOB, 1)
    await store.members.unread({ONE: None}, most=2)


async def test_postgresql_compiles_all_of_them(heard: Heard) -> None:
    dialect = PGDialect()  # type: ignore[no-untyped-call]
    compiled = {str(statement.compile(dialect=dialect)) for statement in heard.statements}

    assert len(compiled) > 20
    locks = [text for text in compiled if "FOR NO KEY UPDATE" in text]
    assert len(locks) == 4  # of rooms for an append, of one for changing members, pruning, erasing
    assert any("= ANY (" in text and "ORDER BY rooms.room_id" in text for text in locks)


async def test_none_of_them_reads_a_whole_table(heard: Heard, database: SqliteDatabase) -> None:
    plans = await database.write(_plans, heard.texts)

    assert any("SEARCH messages USING PRIMARY KEY" in step for step in plans)
    assert any("MULTI-INDEX OR" in step for step in plans)
    assert any("SEARCH messages USING COVERING INDEX" in step for step in plans)
    # "own" is no table but what that search finds, OWN_COUNTED rows at most; "page" the members
    # of a page; what else there is was given by the caller
    assert {step for step in plans if step.startswith("SCAN")} == {
        "SCAN alembic_version",
        "SCAN given VIRTUAL TABLE INDEX 1:",
        "SCAN listed VIRTUAL TABLE INDEX 1:",
        "SCAN own",
        "SCAN page",
        "SCAN pairs VIRTUAL TABLE INDEX 1:",
    }


def _plans(connection: Connection, texts: dict[str, Any]) -> list[str]:
    explained = [
        text for text in texts if not text.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE"))
    ]
    return [
        row[3]
        for text in explained
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", texts[text])
    ]
