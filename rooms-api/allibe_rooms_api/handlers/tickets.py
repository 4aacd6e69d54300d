"""Tickets, for clients that can set no header on a WebSocket's handshake."""

from datetime import timedelta
from http import HTTPStatus

from aiohttp import web

from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.schemas import TicketMade
from allibe_services.tickets.base import TICKET_SECONDS


async def create_ticket(call: Call) -> web.Response:
    """Get a ticket that opens one WebSocket connection as the caller.

    It goes into the address, as `?ticket=`, in the place of the token: good for 30 seconds, and
    once. The connection then lasts until the end of the token that asked for the ticket.
    """
    expires_at = call.context.clock() + timedelta(seconds=TICKET_SECONDS)
    ticket = await call.context.tickets.issue(call.identity)
    return answer(TicketMade(ticket, expires_at), HTTPStatus.CREATED)
