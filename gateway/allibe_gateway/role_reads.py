"""Who is a member, asked for many connections in one read: a reconnect storm costs few reads."""

import asyncio

from allibe_services.contracts.errors import StoreUnavailable, Unavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role
from allibe_services.store.base import Members

MOST = 1000
"""Questions of one read. The others wait for the next."""

CROWD = 4
"""Questions of a read that tell that many come at once."""

PAUSE_SECONDS = 0.02
"""Between reads while many come. Ten thousand who come back at once are some 200 reads with it, and
were 1,700 without: a read is so quick that few ask meanwhile."""

_Question = tuple[tuple[RoomId, UserId], "asyncio.Future[Role | None]"]


class RoleReads:
    """Asks the store for all who wait. A read begins after the questions that it answers.

    There is one read at a time, and no pause before it but where many come: so these take as many
    reads as their coming takes time, however many they are.
    """

    def __init__(self, members: Members) -> None:
        self._members = members
        self._waiting: list[_Question] = []
        self._reading: asyncio.Task[None] | None = None

    async def role(self, room_id: RoomId, user_id: UserId) -> Role:
        """Return the user's role. Raises `UnknownRoom`, `NotAMember`, `Unavailable`."""
        answer: asyncio.Future[Role | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((room_id, user_id), answer))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="read-roles")
        role = await answer
        # Why there is none is asked by itself: it is seldom, and told who asks too much.
        return role if role is not None else await self._members.role(room_id, user_id)

    def close(self) -> None:
        """Read no more; who waits gets `Unavailable`."""
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._answer(asked)
                if len(asked) >= CROWD:
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._reading = None
            _fail(self._waiting, StoreUnavailable)

    async def _answer(self, asked: list[_Question]) -> None:
        try:
            roles = await self._members.roles({pair for pair, _ in asked})
        except Unavailable as error:
            _fail(asked, type(error))
        except BaseException:
            _fail(asked, StoreUnavailable)
            raise
        else:
            for pair, answer in asked:
                if not answer.done():
                    answer.set_result(roles.get(pair))


def _fail(asked: list[_Question], error: type[Unavailable]) -> None:
    for _, answer in asked:
        if not answer.done():  # who waited may be gone
            answer.set_exception(error())
