"""Calls on AMQP, each with an end, and with two kinds of failure: refused, or nobody knows.

aio-pika and aiormq raise a dozen errors when a connection goes away, among them `CancelledError`
in tasks that nobody has cancelled, and, the other way round, a bare `Exception`, or nothing at all,
in tasks that somebody has. Here they all become `Lost`, or `CancelledError` where it is meant.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError

from allibe_services.runtime import cancellations

_Result = TypeVar("_Result")


class Lost(Exception):
    """The channel or connection went away, or did not answer in time. It may have been done."""


async def call(work: Awaitable[_Result], *, seconds: float) -> _Result:
    """Return what the work returns. Raises `Lost`, or `DeliveryError` where the broker refused.

    The cause of `Lost` is what was raised. Work that is out of time is cancelled: aiormq closes
    a channel on which it waited for an answer.
    """
    before = cancellations()  # more than none when a cancelled task cleans up
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    try:
        async with asyncio.timeout_at(deadline):
            result = await work
    except (Exception, asyncio.CancelledError) as error:
        if cancellations() > before:
            raise asyncio.CancelledError from error
        if isinstance(error, (DeliveryError, Lost)):
            raise
        if clock() >= deadline:
            raise Lost(f"no answer within {seconds:g} s") from TimeoutError()
        if _says_lost(error):
            raise Lost(f"{type(error).__name__}: {error}") from error
        raise
    if cancellations() > before:  # closing a channel goes on, whatever it is told meanwhile
        raise asyncio.CancelledError
    return result


def _says_lost(error: BaseException) -> bool:
    """Tell what aiormq raises from what is a mistake of ours."""
    known = (*CONNECTION_EXCEPTIONS, TimeoutError, asyncio.CancelledError)
    return isinstance(error, known) or type(error) is Exception
