"""A database whose transactions are timed and counted, of whatever kind it is."""

import time
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from prometheus_client import Histogram
from sqlalchemy import Connection

from allibe_services.backend_telemetry import BackendMetrics
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.database import Database

P = ParamSpec("P")
R = TypeVar("R")


class MeasuredDatabase:
    """`Database` over another one; `is_up` says whether its last transaction reached it."""

    def __init__(self, database: Database, metrics: BackendMetrics) -> None:
        self._database = database
        self._metrics = metrics
        self._reads = metrics.database_seconds.labels("read")
        self._writes = metrics.database_seconds.labels("write")
        self.is_up = True

    async def read(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await self._timed(self._reads, self._database.read(function, *args, **kwargs))

    async def write(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await self._timed(self._writes, self._database.write(function, *args, **kwargs))

    async def ping(self) -> None:
        await self._timed(self._writes, self._database.ping())

    async def close(self) -> None:
        await self._database.close()

    async def _timed(self, seconds: Histogram, call: Awaitable[R]) -> R:
        began = time.perf_counter()
        self._metrics.database_calls.inc()
        try:
            result = await call
        except StoreUnavailable:
            self._metrics.database_failures.inc()
            self.is_up = False
            raise
        finally:
            self._metrics.database_calls.dec()
            seconds.observe(time.perf_counter() - began)
        self.is_up = True
        return result
