"""The terminal client put together for this machine, and its signals."""

import asyncio
import signal
from functools import partial

import aiohttp
from yarl import URL

from allibe_services.contracts.ids import RoomId, is_room_id, is_user_id
from allibe_services.settings import Settings
from allibe_standalone.terminal.api import Api, tokens_for
from allibe_standalone.terminal.chat import Chat
from allibe_standalone.terminal.console import console
from allibe_standalone.terminal.endings import CannotChat
from allibe_standalone.terminal.link import linked

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


async def chat(settings: Settings, *, room: str, user: str, url: str, token: str | None) -> None:
    """Chat until the input ends or the user leaves. Raises `ValueError` for all other ends."""
    room_id, base = _checked(room, user), server_url(url)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        api = Api(session, base)
        tokens = tokens_for(settings, api, user=user, given=token)
        connect = partial(linked, session, base)
        with console() as screen:
            conversation = Chat(
                room_id, user, connect=connect, api=api, tokens=tokens, console=screen
            )
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, conversation.leave)
            await conversation.run()


def server_url(text: str) -> URL:
    """Return a server's address, of HTTP also where it was given as WebSocket's.

    Raises `CannotChat`.
    """
    try:
        url = URL(text)
        scheme = _SCHEMES[url.scheme]
    except (ValueError, KeyError):
        raise CannotChat(f"{text!r} is not of the form http://host:port") from None
    if not url.host or url.user is not None:
        raise CannotChat(f"{text!r} is not of the form http://host:port")
    return url.with_scheme(scheme).with_query(None).with_fragment(None)


def _checked(room: str, user: str) -> RoomId:
    if not is_room_id(room):
        raise CannotChat("a room id is 1 to 64 of A-Z, a-z, 0-9, _ and -")
    if not is_user_id(user):
        raise CannotChat("a user id is 1 to 128 printable ASCII without space, '*' and '#'")
    return RoomId(room)
