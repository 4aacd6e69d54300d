"""What a user wants to be told, and what became of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.push import PushReason

DAY_MINUTES = 24 * 60

ZONE_LENGTH = 64
"""Characters of a time zone's name; the longest have about 30."""


class QuietHours(msgspec.Struct, frozen=True, rename="camel"):
    """No pushes from minute `start` of each day to minute `end`, by the clocks of a time zone.

    Where `end` is the smaller one, to that of the next day. `timeZone` is an IANA name. Raises
    `ValueError`.
    """

    start: int
    end: int
    time_zone: str

    def __post_init__(self) -> None:
        if not (0 <= self.start < DAY_MINUTES and 0 <= self.end < DAY_MINUTES):
            raise ValueError(f"start and end are minutes of the day, 0 to {DAY_MINUTES - 1}")
        if self.start == self.end:
            raise ValueError("from and to are the same")
        _zone(self.time_zone)

    def end_of(self, moment: datetime) -> datetime | None:
        """Return when (UTC) the quiet hours end in which the moment lies; None if in none.

        Where clocks are set forward over that end, as if they had not been until then.
        """
        local = moment.astimezone(_zone(self.time_zone))
        minute = local.hour * 60 + local.minute
        if (minute - self.start) % DAY_MINUTES >= (self.end - self.start) % DAY_MINUTES:
            return None
        day = local.date() + timedelta(days=1 if self.end <= minute else 0)
        hour, rest = divmod(self.end, 60)
        end = datetime(day.year, day.month, day.day, hour, rest, tzinfo=local.tzinfo)
        # Clocks that are set back show an hour twice: the end that is still to come.
        to_come = end if end.timestamp() > moment.timestamp() else end.replace(fold=1)
        return to_come.astimezone(UTC)


class MutedRoom(msgspec.Struct, frozen=True, rename="camel"):
    """A room without pushes, until a time or (None) until further notice."""

    room_id: RoomId
    until: datetime | None


class NotificationSettings(msgspec.Struct, frozen=True, rename="camel"):
    """What one user wants. Muted rooms are those whose time is not over, by room id."""

    quiet_hours: QuietHours | None = None
    muted: tuple[MutedRoom, ...] = ()


class Decision(msgspec.Struct, frozen=True, rename="camel"):
    """Why a user was, or was not, pushed news of a room: up to `offset`, last decided at `at`."""

    room_id: RoomId
    reason: PushReason
    offset: int
    at: datetime


class DeadPush(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A push that ended undeliverable over one way, at `at`, after `tries` tries.

    It told of the room up to `offset`. `way` is `webhook` or a browser's id, `service` the origin
    that was asked; both are empty where its time was over before any was. `reason` says why it
    ended, `last` what the last try came to.
    """

    at: datetime
    push_id: str
    user: UserId
    room_id: RoomId
    offset: int
    way: str
    service: str
    reason: PushReason
    last: PushReason
    tries: int


def _zone(name: str) -> ZoneInfo:
    try:
        if 0 < len(name) <= ZONE_LENGTH:
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise ValueError("timeZone is the name of an IANA time zone: Asia/Seoul")
