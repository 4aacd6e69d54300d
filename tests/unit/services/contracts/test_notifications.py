"""`contracts.notifications`: when quiet hours end, and which are none."""

import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest

from allibe_services.contracts.notifications import QuietHours

SEOUL = "Asia/Seoul"  # nine hours ahead of UTC, no summer time
BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "moment", "ends"),
    [
        # 22:00 to 07:00 in Seoul
        (1320, 420, "2026-11-29T12:59:59", None),
        (1320, 420, "2026-11-29T13:00", "2026-11-29T22:00"),
        (1320, 420, "2026-11-29T15:30", "2026-11-29T22:00"),
        (1320, 420, "2026-11-29T21:59:59", "2026-11-29T22:00"),
        (1320, 420, "2026-11-29T22:00", None),
        # 12:00 to 13:00
        (720, 780, "2026-11-29T02:59", None),
        (720, 780, "2026-11-29T03:00", "2026-11-29T04:00"),
        (720, 780, "2026-11-29T04:00", None),
        # all but the first minute of a day; to midnight
        (1, 0, "2026-11-29T15:00:30", None),
        (1, 0, "2026-11-29T15:01", "2026-11-30T15:00"),
        (0, 1439, "2026-11-29T15:00", "2026-11-30T14:59"),
    ],
)
def test_they_end_by_the_users_clock(start: int, end: int, moment: str, ends: str | None) -> None:
    expected = None if ends is None else utc(ends)
    assert QuietHours(start, end, SEOUL).end_of(utc(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-03-28T23:00", "2026-03-29T05:00"),  # the night of the spring: an hour less
        ("2026-10-24T23:00", "2026-10-25T06:00"),  # of the autumn: an hour more
        ("2026-07-01T22:00", "2026-07-02T05:00"),
    ],
)
def test_the_users_clock_may_be_set(moment: str, ends: str) -> None:
    assert QuietHours(0, 420, BERLIN).end_of(utc(moment)) == utc(ends)


def test_an_end_that_the_clock_shows_twice_is_the_one_to_come() -> None:
    quiet = QuietHours(0, 150, BERLIN)  # to 02:30, which is 00:30 and 01:30 UTC
    assert quiet.end_of(utc("2026-10-25T00:10")) == utc("2026-10-25T00:30")
    assert quiet.end_of(utc("2026-10-25T01:10")) == utc("2026-10-25T01:30")


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        (-1, 60, SEOUL),
        (0, 1440, SEOUL),
        (60, 60, SEOUL),
        (0, 60, ""),
        (0, 60, "Asia/Nowhere"),
        (0, 60, "Asia"),
        (0, 60, "../etc/passwd"),
        (0, 60, "/etc/localtime"),
        (0, 60, "Asia/\0"),
        (0, 60, "é" * 64),
        (0, 60, "A" * 65),
    ],
)
def test_what_cannot_be_quiet_hours_is_refused(start: int, end: int, zone: str) -> None:
    with pytest.raises(ValueError, match=r"minutes|same|time zone"):
        QuietHours(start, end, zone)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"start": start, "end": end, "timeZone": zone}, QuietHours)


def test_zones_are_known_where_the_system_has_none() -> None:
    """Slim images have no `/usr/share/zoneinfo`; the package `tzdata` is there."""
    code = (
        "from allibe_services.contracts.notifications import QuietHours as Q; Q(1, 2, 'Asia/Seoul')"
    )
    without = {"PYTHONTZPATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, env=without, timeout=30)
