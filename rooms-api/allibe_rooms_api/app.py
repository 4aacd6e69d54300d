"""The rooms API as part of an aiohttp application: on its own, or beside the gateway."""

import re

from aiohttp import web

from allibe_rooms_api import openapi
from allibe_rooms_api.call import CONTEXT, Context, authenticated
from allibe_rooms_api.handlers.document import DOCUMENT
from allibe_rooms_api.middleware import answered, observed, shown_to_pages, traced, written
from allibe_rooms_api.operations import OPERATIONS, PREFIX, Operation

_PARAMETER = re.compile(r"\{(\w+)\}")


def setup(app: web.Application, context: Context) -> None:
    """Add everything under `/api/chat` to the application, as a sub-application of its own.

    Its middlewares see its own requests only. What it stands on stays the caller's to close.
    """
    api = web.Application(middlewares=[traced, written, observed, shown_to_pages, answered])
    api[CONTEXT] = context
    api[DOCUMENT] = openapi.render().encode()
    for operation in OPERATIONS:
        _add(api, operation)
    app.add_subapp(PREFIX, api)


def create_app(context: Context) -> web.Application:
    """Return an application that serves the API and nothing else."""
    app = web.Application()
    setup(app, context)
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
