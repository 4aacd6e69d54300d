"""The command line `allibe`. Errors of settings and ports are one line and exit code 1."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from allibe_services import __version__
from allibe_services.backends import (
    back_up,
    begin_epoch,
    check_for_separate_processes,
    migrate_store,
    signer,
    verifier,
)
from allibe_services.logs import configure_logging
from allibe_services.runtime import allow_many_connections, collect_garbage_less
from allibe_services.settings import Settings, shown
from allibe_services.urls import check_urls
from allibe_services.vapid import VapidKey, checked_subject
from allibe_standalone import demo as demo_mode
from allibe_standalone import processes, retention, terminal
from allibe_standalone.checks import notes, problems, problems_outside
from allibe_standalone.dead_letters import counted, dead_letters
from allibe_standalone.exits import fail as _fail
from allibe_standalone.exits import or_exit as _or_exit
from allibe_standalone.exits import quiet_on_ctrl_c
from allibe_standalone.exits import settings_or_exit as _settings
from allibe_standalone.exits import settings_with_logs as _settings_with_logs


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="allibe")
def cli() -> None:
    """Allibe: a chat back end. Settings are environment variables: see `allibe check`."""


@cli.command()
@click.option("--demo", is_flag=True, help="Seed users and rooms, hand out tokens; loopback only.")
@click.option("--host", help="Address to listen on  [default: ALLIBE_HOST, 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port  [default: ALLIBE_PORT, 8080].")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data"),
    show_default=True,
    help="Where the demo keeps its files.",
)
@quiet_on_ctrl_c()
def serve(demo: bool, host: str | None, port: int | None, data: Path) -> None:
    """Run everything in this one process."""
    settings = _settings()
    host, port = host or settings.host, settings.port if port is None else port
    extras, ready = None, None
    if demo:
        settings = _or_exit(lambda: demo_mode.settings_for(settings, data, host, port))
        extras, ready = demo_mode.extras_with_ops(settings), _invitation
    else:
        settings = msgspec.structs.replace(settings, host=host, port=port)
    _or_exit(lambda: check_urls(settings))
    _or_exit(lambda: verifier(settings))
    _or_exit(lambda: migrate_store(settings))
    if demo:
        _run(settings, partial(demo_mode.seed, settings))
    _run(settings, partial(processes.serve, settings, extras=extras, ready=ready))


@cli.command()
def gateway() -> None:
    """Run a gateway: WebSockets on one side, bus and store on the other."""
    _run_separately(processes.run_gateway)


@cli.command("rooms-api")
@click.option("--demo", is_flag=True, help="Seed users and rooms, hand out tokens; loopback only.")
def rooms_api(demo: bool) -> None:
    """Run the HTTP side: rooms, history, members, the chat page."""
    _run_separately(demo_mode.run_rooms_api if demo else processes.run_rooms_api)


@cli.command("fanout-worker")
def fanout_worker() -> None:
    """Run a worker: commands to the log, events to gateways."""
    _run_separately(processes.run_fanout_worker)


@cli.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    settings = _settings_with_logs()
    _or_exit(lambda: migrate_store(settings))
    click.echo("The database is up to date.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy a SQLite database to a new FILE, while everything runs."""
    settings = _settings()
    _or_exit(lambda: back_up(settings, file))
    click.echo(f"The database is in {file}.")


@cli.command("new-epoch")
def new_epoch() -> None:
    """Give all rooms a new epoch: after a restore, before anything is started.

    Clients that come back are told that they missed something, and load the history anew.
    """
    settings = _settings_with_logs()
    count = _or_exit(lambda: begin_epoch(settings))
    click.echo(f"{counted(count, 'room')} {'has' if count == 1 else 'have'} a new epoch.")


@cli.command()
@click.option("--user", required=True, help="The user id (`sub`).")
@click.option("--ttl", type=float, default=3600, show_default=True, help="Seconds.")
@click.option("--name", help="Display name (`name`).")
@click.option("--scope", multiple=True, help="A scope, e.g. chat:admin; may be repeated.")
def token(user: str, ttl: float, name: str | None, scope: tuple[str, ...]) -> None:
    """Print a token for a user, signed with the configured secret or private key."""
    settings = _settings()
    if not 1 <= ttl <= settings.token_life_seconds:
        _fail(
            f"--ttl: wanted 1 to {settings.token_life_seconds:.0f} seconds: revocations are kept"
            " for ALLIBE_TOKEN_LIFE_SECONDS"
        )
    sign = _or_exit(lambda: signer(settings)).sign
    click.echo(_or_exit(lambda: sign(user, ttl=ttl, name=name, scopes=frozenset(scope))))


@cli.command()
@click.option(
    "--subject", required=True, help="Whom push services turn to: mailto:… or https://… of yours."
)
def vapid(subject: str) -> None:
    """Make a key pair for Web Push; prints the settings, and the public key as a comment."""
    subject = _or_exit(lambda: checked_subject(subject))
    pair = VapidKey.generate()
    click.echo(f"# Public key (applicationServerKey): {pair.public_key}")
    click.echo(f"ALLIBE_VAPID_PRIVATE_KEY={pair.private_key}")
    click.echo(f"ALLIBE_VAPID_SUBJECT={subject}")


@cli.command()
@click.option(
    "--older-than", required=True, help="Least age of what goes: 90d, 36h; a day or more."
)
@click.option("--room", help="Of this room only.")
@click.option(
    "--keep-last",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Messages that each room keeps, however old.",
)
@click.option("--dry-run", is_flag=True, help="Only count.")
def prune(older_than: str, room: str | None, keep_last: int, dry_run: bool) -> None:
    """Delete old messages, batch by batch, while everything runs."""
    settings = _settings_with_logs()
    work = retention.prune(
        settings,
        older_than=_or_exit(lambda: retention.age(older_than)),
        room=room,
        keep_last=keep_last,
        dry_run=dry_run,
    )
    done = _or_exit(lambda: asyncio.run(work))
    verb, time = "Would delete" if dry_run else "Deleted", f"{done.before:%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"{verb} {_of_rooms(done, 'of')}, sent before {time}.")


@cli.command("forget-user")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_user(user: str, yes: bool) -> None:
    """Erase a user: what they wrote, their memberships, browsers and settings."""
    settings = _settings_with_logs()
    _or_exit(lambda: retention.user_id(user))
    if not (yes or _confirmed(f"What {user} wrote cannot be brought back. Erase it?")):
        _fail("nothing is erased")
    done = _or_exit(lambda: asyncio.run(retention.forget_user(settings, user)))
    if not (done.messages or done.memberships):
        click.echo(f"{user} has no messages and no memberships; tokens are revoked.")
        return
    click.echo(f"Erased {_of_rooms(done, 'in')}, ended {counted(done.memberships, 'membership')}.")


@cli.command()
@click.option("--room", required=True, help="The room id.")
@click.option("--user", required=True, help="Who you are.")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The server.")
@click.option("--token", "given", help="Your token; else one is signed, or asked of the demo.")
def chat(room: str, user: str, url: str, given: str | None) -> None:
    """Chat in the terminal, over STOMP; reconnects and resumes by itself."""
    settings = _settings()
    try:
        asyncio.run(terminal.run(settings, room=room, user=user, url=url, token=given))
    except KeyboardInterrupt:
        click.echo()
    except (ValueError, OSError) as error:
        _fail(str(error))


@cli.command()
def check() -> None:
    """Print the settings, secrets hidden, and what is wrong with them."""
    settings = _settings()
    for name, value in shown(settings).items():
        click.echo(f"{name}={value}")
    # What is wrong is told below, in a line.
    configure_logging("error", as_json=False)
    for note in notes(settings):
        click.echo(f"note: {note}", err=True)
    found = problems(settings) + problems_outside(settings)
    for problem in found:
        click.echo(f"problem: {problem}", err=True)
    sys.exit(1 if found else 0)


cli.add_command(dead_letters)


@quiet_on_ctrl_c()
def _run_separately(process: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    settings = _settings()
    _or_exit(lambda: check_for_separate_processes(settings))
    _or_exit(lambda: verifier(settings))
    _run(settings, partial(process, settings))


def _run(settings: Settings, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    _or_exit(lambda: configure_logging(settings.log_level, as_json=settings.log_format == "json"))
    collect_garbage_less()
    allow_many_connections()
    _or_exit(lambda: asyncio.run(work()))


def _of_rooms(done: retention.Pruned | retention.Forgotten, which: str) -> str:
    return f"{counted(done.messages, 'message')} {which} {counted(done.rooms, 'room')}"


def _confirmed(question: str) -> bool:
    """Ask; no answer, or a Ctrl-C, is a no."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        return False


def _invitation(url: str) -> str:
    return (
        f"Allibe is up: open {url}/, or say hello from another terminal: "
        f".venv/bin/allibe chat --room 1 --user alice --url {url}"
    )
