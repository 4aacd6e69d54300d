"""`bus.rabbitmq.calls`: whatever aiormq raises, it is one of two failures, or a cancellation."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest
from aio_pika.exceptions import (
    AMQPConnectionError,
    ChannelInvalidStateError,
    ChannelPreconditionFailed,
    DeliveryError,
)
from aiormq import spec

from allibe_services.bus.rabbitmq.calls import Lost, call


async def fail(error: BaseException) -> None:
    raise error


async def hang() -> None:
    await asyncio.Event().wait()


async def hang_up_rudely() -> None:
    """What aiormq's tasks make of being cancelled."""
    try:
        await hang()
    except asyncio.CancelledError as error:
        raise Exception from error  # noqa: TRY002


async def hang_up_in_silence() -> None:
    """What closing a channel makes of it, in the moment in which the broker has closed it."""
    with suppress(asyncio.CancelledError):
        await hang()


async def hang_up_refused() -> None:
    """What a publish may make of it, in the moment in which the broker refuses it."""
    try:
        await hang()
    except asyncio.CancelledError:
        raise DeliveryError(None, spec.Basic.Nack()) from None


async def test_it_returns_what_the_work_returns() -> None:
    assert await call(asyncio.sleep(0, "result"), seconds=1) == "result"


@pytest.mark.parametrize(
    "error",
    [
        AMQPConnectionError("gone"),
        ChannelInvalidStateError("closed"),
        ChannelPreconditionFailed("other arguments"),
        ConnectionResetError(),
        RuntimeError("closed"),
        TimeoutError(),
        asyncio.CancelledError(),
        Exception(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_raised_when_a_connection_goes_becomes_lost(error: BaseException) -> None:
    with pytest.raises(Lost) as caught:
        await call(fail(error), seconds=1)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [DeliveryError(None, spec.Basic.Nack()), LookupError(), TypeError()]
)
async def test_a_refusal_and_our_own_mistakes_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)):
        await call(fail(error), seconds=1)


@pytest.mark.parametrize("work", [hang, hang_up_rudely])
async def test_what_takes_too_long_is_lost_with_a_timeout_as_cause(work: Any) -> None:
    with pytest.raises(Lost, match=r"within 0\.01 s") as caught:
        await call(work(), seconds=0.01)
    assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("work", [hang, hang_up_rudely, hang_up_in_silence, hang_up_refused])
async def test_who_is_cancelled_is_cancelled(work: Any) -> None:
    """Otherwise a task that is told to end goes on, and whoever waits for it waits for ever."""
    task = asyncio.create_task(_waiting(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


@pytest.mark.parametrize("work", [hang, hang_up_rudely, hang_up_in_silence, hang_up_refused])
async def test_an_outer_time_limit_holds_too(work: Any) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await call(work(), seconds=5)


async def test_a_cancelled_task_may_clean_up() -> None:
    """What fails then is lost, as ever; it is not cancelled once more."""
    cleaned = []

    async def clean_up() -> None:
        try:
            await hang()
        finally:
            for error in (asyncio.CancelledError(), Exception()):
                with pytest.raises(Lost):
                    await call(fail(error), seconds=1)
                cleaned.append(error)

    task = asyncio.create_task(clean_up())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
    assert len(cleaned) == 2


async def _waiting(work: Coroutine[Any, Any, None]) -> None:
    while True:
        try:
            await call(work, seconds=5)
        except Lost:
            await hang()
