"""`handlers.tickets`: a ticket for a token."""

from datetime import datetime, timedelta

import pytest

from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.tickets.base import TICKET_SECONDS
from allibe_services.tickets.inprocess import InProcessTickets
from tests.unit.rooms_api.api import SYSTEM, Api
from tests.unit.rooms_api.fakes import START

PATH = "/api/chat/tickets"


async def test_a_ticket_is_for_the_identity_of_the_token(
    api: Api, tickets: InProcessTickets
) -> None:
    answer = await api.ask("POST", PATH, user="bob", name="Bob", scopes=SYSTEM)
    assert answer.status == 201
    assert answer.json.keys() == {"ticket", "expiresAt"}
    end = datetime.fromisoformat(answer.json["expiresAt"])
    assert end == START + timedelta(seconds=TICKET_SECONDS)
    identity = await tickets.redeem(answer.json["ticket"])
    assert (identity.user_id, identity.name, identity.scopes) == ("bob", "Bob", SYSTEM)
    assert identity.issued_at is not None


async def test_it_is_kept_without_the_token(api: Api, tickets: InProcessTickets) -> None:
    """Who reads what is kept can sign in with none of it."""
    answer = await api.ask("POST", PATH)
    kept = str(tickets.__dict__)
    assert answer.json["ticket"] not in kept
    assert "eyJ" not in kept


async def test_it_needs_a_token(api: Api) -> None:
    assert (await api.ask("POST", PATH, user=None)).outcome == (401, "token_required")


async def test_when_tickets_cannot_be_kept_it_is_told_as_retryable(
    api: Api, tickets: InProcessTickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> str:
        raise LeasesUnavailable

    monkeypatch.setattr(tickets, "issue", away)
    answer = await api.ask("POST", PATH)
    assert answer.outcome == (503, "leases_unavailable")
    assert answer.json["retryable"]


async def test_more_than_the_bound_is_refused_for_a_while(
    api: Api, tickets: InProcessTickets
) -> None:
    tickets._most = 1
    await api.ask("POST", PATH)
    assert (await api.ask("POST", PATH)).outcome == (503, "overloaded")
