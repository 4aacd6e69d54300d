"""Users of a gateway's sessions, and connections of nobody yet."""

from collections.abc import AsyncIterator

import pytest

from allibe_gateway.limits import Limits
from tests.unit.gateway.lines import Line
from tests.unit.gateway.users import PATIENT, User
from tests.unit.gateway.world import World, token, world_of


@pytest.fixture
def limits() -> Limits:
    return PATIENT


@pytest.fixture
async def world(limits: Limits) -> AsyncIterator[World]:
    async with world_of(limits) as world:
        yield world


@pytest.fixture
async def stranger(world: World) -> AsyncIterator[User]:
    """Somebody who has not signed in."""
    user = User(world)
    yield user
    await user.session.close()


@pytest.fixture
async def alice(stranger: User) -> User:
    await stranger.session.sign_in(token(name="Alice"))
    return stranger


@pytest.fixture
async def line() -> Line:
    """A connection that does not run yet."""
    return Line()
