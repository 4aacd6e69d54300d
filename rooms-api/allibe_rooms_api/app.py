"""The rooms API as part of an aiohttp application: on its own, or beside the gateway."""

import re
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from allibe_rooms_api import openapi
from allibe_rooms_api.call import CONTEXT, Context, Observe, authenticated
from allibe_rooms_api.handlers.document import DOCUMENT
from allibe_rooms_api.middleware import answered, observed, written
from allibe_rooms_api.operations import OPERATIONS, PREFIX, Operation
from allibe_services.auth import TokenVerifier
from allibe_services.bus.base import Bus
from allibe_services.contracts.messages import now
from allibe_services.store.base import Store

_PARAMETER = re.compile(r"\{(\w+)\}")

REQUEST_SECONDS = 15.0
"""Longest time for one request: above the limits of store and bus, below those of proxies."""

WRITE_SECONDS = 15.0
"""Longest time to send an answer: the largest page, 1 MiB, at 70 kB/s. Who reads slower than
that, or not at all, would else make the server keep the answer as long as he likes."""


def setup(
    app: web.Application,
    *,
    store: Store,
    bus: Bus,
    verifier: TokenVerifier,
    clock: Callable[[], datetime] = now,
    observe: Observe | None = None,
    time_limit: float = REQUEST_SECONDS,
    write_limit: float = WRITE_SECONDS,
) -> None:
    """Add everything under `/api/chat` to the application, as a sub-application of its own.

    Its middlewares see its own requests only. Store and bus stay the caller's to close.
    `observe` is told route, status and seconds of every answer. `time_limit` is for making one,
    in seconds; one that is not sent within `write_limit` seconds more ends its connection.
    """
    api = web.Application(middlewares=[written, observed, answered])
    api[CONTEXT] = Context(store, bus, verifier, clock, time_limit, write_limit, observe)
    api[DOCUMENT] = openapi.render().encode()
    for operation in OPERATIONS:
        _add(api, operation)
    app.add_subapp(PREFIX, api)


def create_app(
    *,
    store: Store,
    bus: Bus,
    verifier: TokenVerifier,
    clock: Callable[[], datetime] = now,
    observe: Observe | None = None,
) -> web.Application:
    """Return an application that serves the API and nothing else."""
    app = web.Application()
    setup(app, store=store, bus=bus, verifier=verifier, clock=clock, observe=observe)
    return app


def _add(api: web.Application, operation: Operation) -> None:
    handler = operation.handler if operation.public else authenticated(operation.handler)
    # aiohttp's own pattern knows no braces, which user ids may have; what an id may be is
    # checked by the handlers, which say so.
    path = _PARAMETER.sub(r"{\1:[^/]+}", operation.path)
    if operation.method == "GET":
        api.router.add_get(path, handler, allow_head=True)
    else:
        api.router.add_route(operation.method, path, handler)
