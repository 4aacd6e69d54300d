"""`bus.rabbitmq.intake`: AMQP messages become portions, and portions tell what may be acked."""

import asyncio

import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from pamqp.header import ContentHeader

from allibe_services.bus.base import DELIVERY_BYTES
from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.intake import Intake, Poison, Portion
from tests.support.commands import post


def message(tag: int, *contents: str, content_type: str = codec.COMMANDS) -> DeliveredMessage:
    return DeliveredMessage(
        delivery=spec.Basic.Deliver(consumer_tag="c", delivery_tag=tag, routing_key="0.1"),
        header=ContentHeader(properties=spec.Basic.Properties(content_type=content_type)),
        body=codec.encode([post(content) for content in contents]),
        channel=None,  # type: ignore[arg-type]
    )


@pytest.fixture
def intake() -> Intake:
    return Intake()


async def taken(intake: Intake, most: int = 500) -> tuple[str, int | None]:
    """Return the contents of the next portion, joined, and its tag."""
    portion = await intake.next(most)
    assert isinstance(portion, Portion)
    return "".join(command.content for command in portion.commands), portion.tag


async def test_messages_come_together_as_far_as_they_fit_as_a_whole(intake: Intake) -> None:
    """What was acked of a part comes again when the channel goes: so none without need."""
    for tag, contents in enumerate(("ab", "c", "def"), start=1):
        await intake.on_message(message(tag, *contents))
    assert await taken(intake, most=5) == ("abc", 2)
    assert await taken(intake, most=5) == ("def", 3)


async def test_a_large_one_comes_in_parts_and_is_acked_with_the_last(intake: Intake) -> None:
    await intake.on_message(message(1, *"abcde"))
    await intake.on_message(message(2, "f"))
    assert await taken(intake, most=2) == ("ab", None)
    assert await taken(intake, most=2) == ("cd", None)
    assert await taken(intake, most=2) == ("ef", 2)


async def test_content_counts_too_and_one_command_is_never_too_long(intake: Intake) -> None:
    half = "x" * (DELIVERY_BYTES // 2)
    await intake.on_message(message(1, half))
    await intake.on_message(message(2, half))
    await intake.on_message(message(3, "é"))
    await intake.on_message(message(4, "x" * (DELIVERY_BYTES + 1)))
    assert [(len(text), tag) for text, tag in [await taken(intake) for _ in range(3)]] == [
        (DELIVERY_BYTES, 2),
        (1, 3),
        (DELIVERY_BYTES + 1, 4),
    ]


async def test_poison_waits_until_what_is_before_it_was_handed_over(intake: Intake) -> None:
    """Acks say "all up to here"."""
    await intake.on_message(message(1, "a"))
    await intake.on_message(message(2, "b", content_type="text/plain"))
    await intake.on_message(message(3, "c"))
    assert await taken(intake) == ("a", 1)
    poison = await intake.next(500)
    assert isinstance(poison, Poison)
    assert (poison.tag, poison.content_type) == (2, "text/plain")
    assert await intake.next(500) == poison  # it could not be put aside: again
    intake.forget(poison)
    assert await taken(intake) == ("c", 3)


async def test_it_waits_for_a_message_or_the_end(intake: Intake) -> None:
    waiting = asyncio.create_task(intake.next(500))
    await asyncio.sleep(0)
    assert not waiting.done()
    await intake.on_message(message(1, "a"))
    assert isinstance(await waiting, Portion)
    waiting = asyncio.create_task(intake.next(500))
    await asyncio.sleep(0)
    intake.end()
    assert await waiting is None


async def test_at_the_end_nothing_more_is_handed_over(intake: Intake) -> None:
    """Its tags mean nothing on another channel, and another consumer may have it already."""
    await intake.on_message(message(1, "a"))
    intake.end()
    assert await intake.next(500) is None
