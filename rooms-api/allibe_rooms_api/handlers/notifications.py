"""What the caller wants to be told: quiet hours, muted rooms."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web

from allibe_rooms_api.announce import announce
from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.reading import path_room, read_json
from allibe_rooms_api.schemas import CLOCK_PATTERN, Mute, QuietTimes, Wishes
from allibe_services.contracts.errors import BadRequest
from allibe_services.contracts.events import RoomMuted
from allibe_services.contracts.notifications import NotificationSettings, QuietHours

LATEST = datetime.max.replace(tzinfo=UTC)
"""Until when a room may be muted: what is later is no time that can be shown."""

_CLOCK = re.compile(CLOCK_PATTERN.strip("^$"), re.ASCII).fullmatch


async def get_notification_settings(call: Call) -> web.Response:
    """Show when the caller wants no pushes."""
    return answer(_wishes(await call.store.notifications.settings(call.identity.user_id)))


async def put_notification_settings(call: Call) -> web.Response:
    """Change when the caller wants no pushes.

    What would be pushed in these hours is pushed at their end, if it is still unread then.
    """
    wishes = await read_json(call.request, Wishes)
    quiet_hours = None if wishes.quiet_hours is None else _hours(wishes.quiet_hours)
    user = call.identity.user_id
    settings = await call.store.notifications.change_settings(user, quiet_hours=quiet_hours)
    return answer(_wishes(settings))


async def mute_room(call: Call) -> web.Response:
    """Push nothing of the room to the caller, until a time or until it is unmuted.

    Unread counts go on as before. It ends with the membership.
    """
    room_id = path_room(call.request)
    mute = await read_json(call.request, Mute)
    if mute.until is not None and not call.context.clock() < mute.until <= LATEST:
        raise BadRequest("until lies in the future, before the year 10000 in UTC.")
    user = call.identity.user_id
    await call.store.notifications.mute(user, room_id, mute.until)
    await announce(call, [RoomMuted(user, room_id, muted=True, muted_until=mute.until)])
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def unmute_room(call: Call) -> web.Response:
    """Push what is new in the room to the caller again; of a room that is not muted too."""
    room_id = path_room(call.request)
    user = call.identity.user_id
    await call.store.notifications.unmute(user, room_id)
    await announce(call, [RoomMuted(user, room_id, muted=False)])
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _hours(times: QuietTimes) -> QuietHours:
    start, end = _minute("from", times.start), _minute("to", times.end)
    try:
        return QuietHours(start, end, times.time_zone)
    except ValueError as error:
        raise BadRequest(f"{error}.") from None


def _minute(name: str, text: str) -> int:
    found = _CLOCK(text)
    if found is None:
        raise BadRequest(f"{name} is a time of the day, 00:00 to 23:59.")
    return int(text[:2]) * 60 + int(text[3:])


def _wishes(settings: NotificationSettings) -> Wishes:
    quiet = settings.quiet_hours
    if quiet is None:
        return Wishes(None)
    return Wishes(QuietTimes(_clock(quiet.start), _clock(quiet.end), quiet.time_zone))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
