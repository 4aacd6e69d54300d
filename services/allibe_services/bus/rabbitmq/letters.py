"""What a dead letter is, read from its AMQP message: from RabbitMQ's headers, or from our own.

Whoever may publish to `chat.dead` may have put anything into it: what is told of it is printed on
terminals, so it is checked, or left out.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from aiormq.abc import DeliveredMessage

from allibe_services.bus.dead_letters import DeadLetter
from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.lanes import SEVERAL_ROOMS
from allibe_services.bus.rabbitmq.topology import COMMANDS
from allibe_services.contracts.ids import RoomId, is_room_id

CODE = "x-allibe-code"
REASON = "x-allibe-reason"
TIME = "x-allibe-time"
"""Headers of what a worker puts aside."""

REASON_LENGTH = 500

UNKNOWN = "unknown"

_ID_DIGITS = 12
_CODE = re.compile(r"[a-z_]{1,40}").fullmatch
_SHARD = re.compile(r"[0-9]{1,3}").fullmatch

Headers = Mapping[str, object]


def letter_of(message: DeliveredMessage, position: int) -> DeadLetter:
    """Return what is told of a dead letter."""
    headers: Headers = message.header.properties.headers or {}
    rooms, commands = _addressed(message)
    deaths = _deaths(headers)
    times = [time for death in deaths if (time := _time(death.get("time")))]
    return DeadLetter(
        id=_id(message),
        position=position,
        shard=_shard(message.routing_key or ""),
        room_ids=rooms,
        commands=commands,
        reason=_reason(headers, deaths),
        detail=_detail(headers.get(REASON)),
        deaths=sum(_count(death) for death in deaths) or 1,
        first_died_at=min(times, default=_time(headers.get(TIME))),
        size=len(message.body),
    )


def original_key(routing_key: str, letter: DeadLetter) -> str:
    """Return the routing key that its commands came with.

    RabbitMQ leaves it as it was; what a worker puts aside has the name of its queue instead.
    """
    if not routing_key.startswith(f"{COMMANDS}."):
        return routing_key
    room = letter.room_ids[0] if len(letter.room_ids) == 1 else SEVERAL_ROOMS
    return f"{letter.shard}.{room}"


def _id(message: DeliveredMessage) -> str:
    content_type = message.header.properties.content_type or ""
    digest = sha256(f"{content_type}\n".encode(errors="replace") + message.body)
    return digest.hexdigest()[:_ID_DIGITS]


def _addressed(message: DeliveredMessage) -> tuple[list[RoomId], int]:
    """Return the rooms, each once, and the number of the commands."""
    try:
        commands = codec.decode_commands(message.body, message.header.properties.content_type)
    except codec.Undecodable:
        return [], 0
    rooms = dict.fromkeys(command.room_id for command in commands)
    return [room for room in rooms if is_room_id(room)], len(commands)


def _shard(routing_key: str) -> int | None:
    number = routing_key.removeprefix(f"{COMMANDS}.").partition(".")[0]
    return int(number) if _SHARD(number) else None


def _reason(headers: Headers, deaths: list[Headers]) -> str:
    said = headers.get(CODE) or (deaths[0].get("reason") if deaths else None)
    return said if isinstance(said, str) and _CODE(said) else UNKNOWN


def _detail(reason: object) -> str | None:
    """Return our own words of what is wrong; they hold no content."""
    if not isinstance(reason, str):
        return None
    return "".join(sign if sign.isprintable() else "?" for sign in reason[:REASON_LENGTH])


def _deaths(headers: Headers) -> list[Headers]:
    """Return RabbitMQ's account: an entry for each queue and reason, the latest first."""
    deaths = headers.get("x-death")
    return [one for one in deaths if isinstance(one, dict)] if isinstance(deaths, list) else []


def _count(death: Headers) -> int:
    count = death.get("count")
    return count if isinstance(count, int) else 0


def _time(time: object) -> datetime | None:
    if not isinstance(time, datetime):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
