"""`letters`: what is told of a dead letter, whoever put it there."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from pamqp.header import ContentHeader

from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.letters import letter_of, original_key
from tests.support.commands import post

DIED = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)
DEATH = {"reason": "delivery_limit", "count": 2, "time": DIED, "queue": "chat.commands.3"}
PUT_ASIDE = {"x-allibe-code": "undecodable", "x-allibe-reason": "an empty list"}


def message(
    key: str = "3.1",
    headers: dict[str, Any] | None = None,
    *,
    body: bytes | None = None,
    content_type: str | None = codec.COMMANDS,
) -> DeliveredMessage:
    """Return what RabbitMQ hands over."""
    body = codec.encode([post()]) if body is None else body
    properties = spec.Basic.Properties(content_type=content_type, headers=headers)
    header = ContentHeader(properties=properties, body_size=len(body))
    delivery = spec.Basic.Deliver(routing_key=key, delivery_tag=1)
    return DeliveredMessage(delivery, header, body, None)  # type: ignore[arg-type]


def test_what_rabbitmq_put_aside() -> None:
    letter = letter_of(message(headers={"x-death": [DEATH]}), 7)
    assert (letter.position, letter.shard, letter.room_ids, letter.commands) == (7, 3, ["1"], 1)
    assert (letter.reason, letter.deaths, letter.first_died_at) == ("delivery_limit", 2, DIED)


def test_what_a_worker_put_aside() -> None:
    headers = PUT_ASIDE | {"x-allibe-time": DIED}
    letter = letter_of(message("chat.commands.12", headers, body=b"\xc1"), 1)
    assert (letter.shard, letter.room_ids, letter.commands, letter.size) == (12, [], 0, 1)
    assert (letter.reason, letter.detail) == ("undecodable", "an empty list")
    assert (letter.deaths, letter.first_died_at) == (1, DIED)


@pytest.mark.parametrize(
    ("key", "rooms", "expected"),
    [
        ("3.abc", ["abc"], "3.abc"),
        ("3.+", ["a", "b"], "3.+"),
        ("chat.commands.3", ["a"], "3.a"),
        ("chat.commands.3", ["a", "b", "a"], "3.+"),
        ("chat.commands.3", [], "3.+"),
    ],
)
def test_a_replay_has_the_key_that_it_came_with(key: str, rooms: list[str], expected: str) -> None:
    body = codec.encode([post(room=room) for room in rooms])
    letter = letter_of(message(key, body=body), 1)
    assert original_key(key, letter) == expected


def test_an_id_is_of_what_is_in_it_and_of_nothing_else() -> None:
    body = codec.encode([post()])
    first = letter_of(message(body=body, headers={"x-death": [DEATH]}), 1)
    assert letter_of(message("chat.commands.3", PUT_ASIDE, body=body), 5).id == first.id
    assert letter_of(message(body=body, content_type=None), 1).id != first.id
    assert letter_of(message(), 1).id != first.id


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {"x-death": "often"},
        {"x-death": [1, {"reason": 5, "count": "many", "time": "noon"}]},
        {"x-death": [{"reason": "\x1b[2J"}]},
        {"x-allibe-code": "\x1b]0;hello\x07", "x-allibe-time": 1},
    ],
)
def test_headers_of_anybody_are_checked(headers: dict[str, Any] | None) -> None:
    letter = letter_of(message("nowhere", headers), 1)
    assert (letter.reason, letter.shard, letter.first_died_at) == ("unknown", None, None)


def test_nothing_gets_to_a_terminal_that_may_steer_it() -> None:
    body = codec.encode([post(room="\x1b[2J"), post(room="1")])
    letter = letter_of(
        message(headers={"x-allibe-reason": "a\x1b\u202eb\n" + 600 * "c"}, body=body), 1
    )
    assert letter.room_ids == ["1"]
    assert letter.detail is not None
    assert letter.detail.startswith("a??b?cc")
    assert len(letter.detail) == 500
