"""`tickets.redis`: what only a real Redis, and several processes, can show."""

import asyncio

import pytest

from allibe_services.contracts.errors import TicketInvalid
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.ids import UserId
from allibe_services.tickets.base import TICKET_SECONDS
from allibe_services.tickets.redis import RedisTickets
from deploy.cluster.servers import Redis
from tests.integration.redis_leases.conftest import OpenLink

ALICE = Identity(UserId("alice"), 2_000_000_000.0, token_id="t-1")


@pytest.fixture
def processes(open_link: OpenLink) -> list[RedisTickets]:
    return [RedisTickets(open_link()) for _ in range(3)]


async def test_a_ticket_of_one_process_is_good_once_over_all(
    processes: list[RedisTickets],
) -> None:
    for _ in range(20):
        ticket = await processes[0].issue(ALICE)
        found = await asyncio.gather(
            *(one.redeem(ticket) for one in processes), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in found) == [
            "Identity",
            "TicketInvalid",
            "TicketInvalid",
        ]


async def test_the_same_use_may_be_run_twice(
    processes: list[RedisTickets], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its connection is lost before the answer came, a script is run again."""
    ticket = await processes[0].issue(ALICE)
    monkeypatch.setattr("allibe_services.tickets.redis.token_hex", lambda _: "the same")
    assert [await one.redeem(ticket) for one in processes] == [ALICE] * 3
    monkeypatch.setattr("allibe_services.tickets.redis.token_hex", lambda _: "another")
    with pytest.raises(TicketInvalid):
        await processes[0].redeem(ticket)


async def test_who_reads_redis_cannot_sign_in_with_that(
    server: Redis, processes: list[RedisTickets]
) -> None:
    ticket = await processes[0].issue(ALICE)
    [key] = server.command("KEYS", "*").split()
    kept = key + server.command("HGETALL", key)
    assert "alice" in kept
    assert ticket not in kept
    for found in key.split(":"):
        with pytest.raises(TicketInvalid):
            await processes[0].redeem(found)


async def test_nothing_is_kept_for_longer_than_a_ticket_lives(
    server: Redis, processes: list[RedisTickets]
) -> None:
    """Used or not."""
    for used in (True, False):
        ticket = await processes[0].issue(ALICE)
        if used:
            await processes[1].redeem(ticket)
    keys = server.command("KEYS", "*").split()
    assert len(keys) == 2
    for key in keys:
        assert 0 < int(server.command("PTTL", key)) <= TICKET_SECONDS * 1000
