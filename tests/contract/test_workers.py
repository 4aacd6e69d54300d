"""`workers.base`: every sentence of its docstrings, against every worker membership."""

from collections.abc import AsyncIterator

import pytest

from allibe_services.workers.base import LEASE_SECONDS, RENEW_SECONDS, Workers
from tests.contract.factories_leases import WORKERS, PassSeconds

Opened = tuple[Workers, PassSeconds]


@pytest.fixture(params=WORKERS)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    async with WORKERS[request.param](request) as opened:
        yield opened


@pytest.fixture
def workers(opened: Opened) -> Workers:
    return opened[0]


@pytest.fixture
def pass_seconds(opened: Opened) -> PassSeconds:
    return opened[1]


async def test_who_announces_itself_is_among_the_live_ones(workers: Workers) -> None:
    await workers.ping()
    assert await workers.announce("one") == {"one"}
    assert await workers.announce("two") == {"one", "two"}
    assert await workers.announce("one") == {"one", "two"}


async def test_the_answer_is_the_askers_own(workers: Workers) -> None:
    """Who changes the set that it got changes nobody else's."""
    (await workers.announce("one")).clear()
    assert await workers.announce("one") == {"one"}


async def test_who_leaves_is_gone_at_once(workers: Workers) -> None:
    await workers.announce("one")
    await workers.announce("two")
    await workers.leave("one")
    assert await workers.announce("two") == {"two"}


async def test_leaving_ends_no_other_lease_and_an_unknown_one_is_ignored(workers: Workers) -> None:
    await workers.leave("nobody")
    await workers.announce("one")
    await workers.leave("nobody")
    await workers.leave("on")
    assert await workers.announce("two") == {"one", "two"}


async def test_who_has_left_may_come_back(workers: Workers) -> None:
    await workers.announce("one")
    await workers.leave("one")
    await workers.leave("one")
    assert await workers.announce("one") == {"one"}


async def test_a_lease_ends_by_itself(workers: Workers, pass_seconds: PassSeconds) -> None:
    """Its worker died."""
    await workers.announce("one")
    await pass_seconds(LEASE_SECONDS - 1)
    assert await workers.announce("two") == {"one", "two"}
    await pass_seconds(2)
    assert await workers.announce("two") == {"two"}


async def test_announcing_is_renewing(workers: Workers, pass_seconds: PassSeconds) -> None:
    for _ in range(5):
        await workers.announce("one")
        await workers.announce("two")
        await pass_seconds(LEASE_SECONDS - 1)
    assert await workers.announce("two") == {"one", "two"}
    await pass_seconds(2)
    assert await workers.announce("two") == {"two"}


async def test_two_renewals_may_fail(workers: Workers, pass_seconds: PassSeconds) -> None:
    await workers.announce("one")
    await pass_seconds(2 * RENEW_SECONDS + RENEW_SECONDS / 2)
    assert await workers.announce("two") == {"one", "two"}


async def test_one_that_ended_by_itself_can_come_back(
    workers: Workers, pass_seconds: PassSeconds
) -> None:
    await workers.announce("one")
    await pass_seconds(2 * LEASE_SECONDS)
    assert await workers.announce("two") == {"two"}
    assert await workers.announce("one") == {"one", "two"}


async def test_an_id_may_be_any_text(workers: Workers) -> None:
    ids = {"host-1:4711:0190f3", "일꾼", "{a} b", "-inf", "1"}
    for worker in ids:
        live = await workers.announce(worker)
    assert live == ids
