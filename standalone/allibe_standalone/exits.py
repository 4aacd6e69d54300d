"""How commands end that cannot go on: one line, and exit code 1. Nothing but answers on stdout."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import click

from allibe_services.contracts.errors import AllibeError
from allibe_services.logs import configure_logging
from allibe_services.settings import Settings, load

_Result = TypeVar("_Result")


def settings_or_exit() -> Settings:
    """Return the settings of the environment."""
    return or_exit(load)


def settings_with_logs() -> Settings:
    """Return the settings of the environment; from now on logs are as these want them."""
    settings = settings_or_exit()
    as_json = settings.log_format == "json"
    or_exit(lambda: configure_logging(settings.log_level, as_json=as_json))
    return settings


@contextmanager
def quiet_on_ctrl_c() -> Iterator[None]:
    """End the process at a Ctrl-C that nobody has waited for as at one later: exit code 0."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(0)


def or_exit(call: Callable[[], _Result]) -> _Result:
    """Return what the call returns; end the process with one line where it cannot."""
    try:
        return call()
    except (ValueError, OSError, AllibeError) as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Say why, and end the process."""
    click.echo(f"allibe: {message}", err=True)
    sys.exit(1)
