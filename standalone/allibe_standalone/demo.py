"""What `--demo` adds to `allibe serve` and `allibe rooms-api`: users, rooms and tokens to try.

Loopback only: tokens are handed out to whoever asks. The secret, and the key pair for Web Push, are
made at the first start and kept beside the database.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from allibe_services import ops
from allibe_services.auth import TokenSigner
from allibe_services.backends import backends
from allibe_services.contracts.errors import Conflict
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.loopback import is_loopback_host
from allibe_services.settings import Settings
from allibe_services.vapid import VapidKey
from allibe_standalone import processes
from allibe_standalone.processes import Extras, Process

USERS = ("alice", "bob", "carol")
ROOMS = (
    (RoomId("1"), "Project Team", ("alice", "bob", "carol")),
    (RoomId("2"), "Friend Chat", ("alice", "bob")),
)
SECRET_FILE = "demo-secret"  # noqa: S105 - a name
VAPID_FILE = "demo-vapid"
VAPID_SUBJECT = "mailto:demo@allibe.example"
TOKEN_SECONDS = 24 * 3600.0
LONGEST_TOKEN_SECONDS = 30 * 24 * 3600.0


def settings_for(settings: Settings, folder: Path, host: str, port: int) -> Settings:
    """Return settings for a demo that keeps its files in a folder.

    Raises `ValueError` for an address that is not loopback, `OSError` for an unusable folder.
    """
    _check_loopback(host)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return msgspec.structs.replace(
        settings,
        host=host,
        port=port,
        ops_port=0,
        database_url=f"sqlite:///{(folder / 'allibe.db').resolve()}",
        jwt_algorithm="HS256",
        jwt_secret=_secret(folder / SECRET_FILE, _new_secret),
        jwt_audience=None,
        jwt_issuer=None,
        vapid_private_key=settings.vapid_private_key or _secret(folder / VAPID_FILE, _new_pair),
        vapid_subject=settings.vapid_subject or VAPID_SUBJECT,
    )


async def run_rooms_api(settings: Settings) -> None:
    """Run rooms-api with the demo's routes, over the demo's rooms. Raises as `serve`, `check`."""
    check(settings)
    await seed(settings)
    await processes.run_rooms_api(settings, extras=extras(settings))


async def seed(settings: Settings) -> None:
    """Create the demo's rooms where they are missing."""
    async with backends(settings) as parts:
        for room_id, name, members in ROOMS:
            owner, *others = (UserId(member) for member in members)
            try:
                await parts.store.rooms.create(name, owner, members=others, room_id=room_id)
            except Conflict:
                continue


def check(settings: Settings) -> None:
    """Raise `ValueError` for settings under which tokens must not be handed out."""
    _check_loopback(settings.host)
    if settings.jwt_algorithm != "HS256" or not settings.jwt_secret:
        raise ValueError("--demo signs tokens itself: with HS256 and ALLIBE_JWT_SECRET")


def extras_with_ops(settings: Settings) -> Extras:
    """Return what adds the demo's routes and those of the operations port to the main port."""
    add_demo = extras(settings)

    def add(app: web.Application, process: Process) -> None:
        add_demo(app, process)
        app.add_routes(ops.routes(process.readiness, process.registry))

    return add


def extras(settings: Settings) -> Extras:
    """Return what adds the demo's routes to the main port."""
    signer = TokenSigner("HS256", settings.jwt_secret or "")

    async def token(request: web.Request) -> web.Response:
        user = request.query.get("user", "")
        if user not in USERS:
            return _refusal(f"user is one of {', '.join(USERS)}")
        try:
            ttl = float(request.query.get("ttl", TOKEN_SECONDS))
        except ValueError:
            return _refusal("ttl is a number of seconds")
        if not 0 < ttl <= LONGEST_TOKEN_SECONDS:
            return _refusal(f"ttl is more than 0 and at most {LONGEST_TOKEN_SECONDS:.0f}")
        return _answer({"token": signer.sign(user, ttl=ttl, name=_name(user))})

    def add(app: web.Application, _: Process) -> None:
        app.router.add_get("/api/demo/token", _to_localhost(token))
        app.router.add_get("/api/demo/users", _to_localhost(_users))

    return add


def _to_localhost(handler: Handler) -> Handler:
    """Refuse a page from elsewhere whose name was rebound to this machine (DNS rebinding)."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if not is_loopback_host(request.url.host or ""):
            return _refusal("the demo answers to localhost only")
        return await handler(request)

    return guarded


async def _users(_: web.Request) -> web.Response:
    return _answer([{"user": user, "name": _name(user)} for user in USERS])


def _name(user: str) -> str:
    return user.capitalize()


def _answer(body: object) -> web.Response:
    return web.json_response(body, headers={"Cache-Control": "no-store"})


def _refusal(detail: str) -> web.Response:
    problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": detail}
    return web.json_response(problem, status=400, content_type="application/problem+json")


def _check_loopback(host: str) -> None:
    if not is_loopback_host(host):
        raise ValueError(f"--demo hands out tokens to anyone: it listens on loopback, not {host}")


def vapid_settings(folder: Path) -> dict[str, str]:
    """Return what the processes of a cluster need for Web Push, as variables. Raises `OSError`."""
    path = folder / VAPID_FILE
    _secret(path, _new_pair)
    return {
        "ALLIBE_VAPID_PRIVATE_KEY_FILE": str(path.resolve()),
        "ALLIBE_VAPID_SUBJECT": VAPID_SUBJECT,
    }


def _new_secret() -> str:
    return secrets.token_urlsafe(48)


def _new_pair() -> str:
    return VapidKey.generate().private_key


def _secret(path: Path, make: Callable[[], str]) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(make())
    return path.read_text().strip()
