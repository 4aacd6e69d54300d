"""`redis_link`: when a Redis that is away is asked again. All else needs one: tests/integration."""

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest
import redis.asyncio
from redis.exceptions import ConnectionError as ConnectionLost
from structlog.testing import capture_logs

from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.redis_link import FIRST_PAUSE, LONGEST_PAUSE, RedisLink


class FakeRedis:
    """Answers, or is not there. `asked` counts."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked = 0

    async def eval(self, *_: object) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if not self.is_there:
            raise ConnectionLost("Error 111")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRedis:
    fake = FakeRedis()
    monkeypatch.setattr(redis.asyncio.Redis, "eval", fake.eval)
    return fake


@pytest.fixture
def pass_seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for the link, without waiting."""
    start, passed = time.monotonic(), 0.0

    def pass_some(seconds: float) -> None:
        nonlocal passed
        passed += seconds + 1e-6  # a sum of floats may be a hair less, depending on the start

    monkeypatch.setattr("allibe_services.redis_link._now", lambda: start + passed)
    return pass_some


@pytest.fixture
def link() -> RedisLink:
    return RedisLink("redis://:hunter2@127.0.0.1:1/0", call_seconds=60)


async def fails(link: RedisLink) -> None:
    with pytest.raises(LeasesUnavailable):
        await link.ping()


async def test_calls_that_fail_together_are_one_failure(
    link: RedisLink, fake: FakeRedis, pass_seconds: Callable[[float], None]
) -> None:
    """A connection that is lost takes all calls on it along, and is there again at once."""
    fake.is_there = False
    await asyncio.gather(*(fails(link) for _ in range(8)))
    fake.is_there = True
    pass_seconds(FIRST_PAUSE)
    await link.ping()


async def test_who_waited_for_a_turn_does_not_wait_for_redis_too(
    fake: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes to refuse all of them: here, a part of the pause for each."""
    link = RedisLink("redis://127.0.0.1:1/0", call_seconds=60, connections=1)
    start, looks = time.monotonic(), itertools.count()
    monkeypatch.setattr(
        "allibe_services.redis_link._now", lambda: start + next(looks) * FIRST_PAUSE / 5
    )
    fake.is_there = False
    await asyncio.gather(*(fails(link) for _ in range(100)))
    assert fake.asked == 1
    await fails(link)
    assert fake.asked == 2


async def test_the_pause_doubles_up_to_the_longest(
    link: RedisLink, fake: FakeRedis, pass_seconds: Callable[[float], None]
) -> None:
    fake.is_there = False
    await fails(link)
    pauses, pause = [], FIRST_PAUSE
    for _ in range(7):
        before = fake.asked
        pass_seconds(pause * 0.9)
        await fails(link)
        assert fake.asked == before
        pass_seconds(pause * 0.11)
        await fails(link)
        assert fake.asked == before + 1
        pauses.append(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    assert pauses[-1] == LONGEST_PAUSE
    pass_seconds(LONGEST_PAUSE)
    fake.is_there = True
    await link.ping()
    fake.is_there = False
    await fails(link)
    fake.is_there = True
    pass_seconds(FIRST_PAUSE)  # the first again
    await link.ping()


async def test_it_is_said_once_however_long(
    link: RedisLink, fake: FakeRedis, pass_seconds: Callable[[float], None]
) -> None:
    fake.is_there = False
    with capture_logs() as logs:
        for _ in range(50):
            await fails(link)
            pass_seconds(LONGEST_PAUSE)
        fake.is_there = True
        for _ in range(50):
            await link.ping()
    assert [entry["event"] for entry in logs] == ["redis_away", "redis_connected"]
    assert "hunter2" not in str(logs)
