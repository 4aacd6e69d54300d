"""`Keys` that an issuer publishes and rotates. One task fetches them; all others only look.

Fetched now and then, and when a token names a key that is not known: but never within `pause`
seconds after the last time, since anybody can make up names. While the issuer is away, or
answers nonsense, the keys that were known go on.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import jwt
import structlog

from allibe_services.auth.jwks import KeySet, key_set
from allibe_services.auth.keys import KeyUnknown, PublicKey
from allibe_services.contracts.errors import KeysUnavailable, TokenInvalid

REFRESH_SECONDS = 300.0
"""A key that the issuer has withdrawn is believed for so long at most, while he answers."""

RETRY_SECONDS = 30.0
"""Pause after a fetch that failed, if no token asks for an unknown key meanwhile."""

PAUSE_SECONDS = 5.0
"""Between two fetches, whatever tokens ask for."""

WAIT_SECONDS = 6.0
"""Longest that a token waits for its key: a fetch takes 5 s at most."""

log = structlog.get_logger(__name__)


class JwksKeys:
    """See the module. `fetch` returns the key set or raises `KeysUnavailable`, within 5 s.

    `observe` is told of each fetch whether it brought keys.
    """

    def __init__(
        self,
        algorithm: str,
        fetch: Callable[[], Awaitable[bytes]],
        *,
        pause: float = PAUSE_SECONDS,
        observe: Callable[[bool], None] | None = None,
    ) -> None:
        self._algorithm = algorithm
        self._fetch = fetch
        self._pause = pause
        self._observe = observe
        self._keys = KeySet()
        self._fetched: bool | None = None
        self._rests_until = 0.0
        self._wanted = asyncio.Event()
        self._round = asyncio.Event()

    def for_token(self, token: str) -> PublicKey:
        """See `Keys`."""
        header = jwt.get_unverified_header(token)
        if header.get("alg") != self._algorithm:
            raise TokenInvalid
        key = self._keys.find(header.get("kid"))
        if key is None:
            raise KeyUnknown
        return key

    async def look_for_more(self) -> None:
        """See `Keys`. Who comes while the keys are fetched waits for the same answer."""
        rest = self._rests_until - time.monotonic()
        if rest > 0:
            raise KeysUnavailable(retry_after_ms=int(rest * 1000) + 1)
        self._wanted.set()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._round.wait()
        except TimeoutError:
            raise KeysUnavailable from None
        if not self._fetched:
            raise KeysUnavailable

    async def run(self) -> None:
        """Fetch the keys now, now and then, and when one is wanted, for ever."""
        while True:
            self._note(await self._refresh())
            await asyncio.sleep(self._pause)
            if self._keys.count:  # else nobody can sign in: again, at once
                # Not all processes at the same time.
                seconds = REFRESH_SECONDS if self._fetched else RETRY_SECONDS
                await self._until_wanted(seconds * random.uniform(0.9, 1.1))  # noqa: S311

    async def ping(self) -> None:
        """See `Keys`."""
        if not self._keys.count:
            raise KeysUnavailable

    async def _until_wanted(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _refresh(self) -> str | None:
        """Fetch the keys once; return why that failed, None where it did not."""
        try:
            self._keys = key_set(await self._fetch(), self._algorithm)
        except (KeysUnavailable, ValueError) as error:
            return str(error)
        return None

    def _note(self, failure: str | None) -> None:
        """Tell those who wait; tell the log what has changed, not each failure."""
        fetched = failure is None
        if not fetched and self._fetched is not False:
            log.warning("keys_not_fetched", reason=failure, known=self._keys.count)
        elif fetched and not self._fetched:
            log.info("keys_fetched", count=self._keys.count)
        if self._observe is not None:
            self._observe(fetched)
        self._fetched = fetched
        self._rests_until = time.monotonic() + self._pause
        self._wanted.clear()
        self._round.set()
        self._round = asyncio.Event()
