"""How commands end that cannot go on: one line, and exit code 1."""

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import click

from allibe_services.contracts.errors import AllibeError
from allibe_services.settings import Settings, load

_Result = TypeVar("_Result")


def settings_or_exit() -> Settings:
    """Return the settings of the environment."""
    return or_exit(load)


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
