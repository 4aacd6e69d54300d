"""Errors that only the HTTP side knows, besides `contracts.errors`."""

from http import HTTPStatus

from aiohttp import hdrs, web

from allibe_services import problems
from allibe_services.contracts.errors import AllibeError, BadRequest, Refused


class UnknownRoute(Refused):
    """No such path."""

    code, status, text = "unknown_route", 404, "There is nothing at this address."


class MethodNotAllowed(Refused):
    """The path exists, but not for this method; `allow` lists those that it has."""

    code, status, text = "method_not_allowed", 405, "This address does not take this method."

    def __init__(self, allow: str) -> None:
        self.allow = allow
        super().__init__(f"This address takes {allow}.")


class PushOff(Refused):
    """The server has no VAPID key."""

    code, status, text = "push_off", 404, "This server pushes nothing to browsers."


class UnknownSubscription(Refused):
    """No such subscription, or another secret: which of them is not told."""

    code, status = "unknown_subscription", 404
    text = "There is no such subscription, or its secret is another one."


class BodyTimeout(Refused):
    """The body did not arrive in time."""

    code, status, text = "body_timeout", 408, "The body did not arrive in time."


class BodyTooLarge(Refused):
    """The body is over the limit."""

    code, status, text = "body_too_large", 413, "The body is longer than 65536 bytes."


class UnsupportedMediaType(Refused):
    """The body is said to be something else than JSON in UTF-8."""

    code, status = "unsupported_media_type", 415
    text = "The body must be JSON: Content-Type: application/json, in UTF-8."


class InternalError(Refused):
    """A fault of ours. Whether trying again helps is not known, so clients should not loop."""

    code, status, text = "internal_error", 500, "Something went wrong on the server."


def respond(error: AllibeError) -> web.Response:
    """Return the answer that tells of an error, with the headers that its status calls for."""
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowed):
        headers[hdrs.ALLOW] = error.allow
    return problems.respond(error, headers)


def from_http(exception: web.HTTPException) -> AllibeError:
    """Return the error behind aiohttp's own refusals (no such route, wrong method, …)."""
    if isinstance(exception, web.HTTPNotFound):
        return UnknownRoute()
    if isinstance(exception, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(", ".join(sorted(exception.allowed_methods)))
    if exception.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BadRequest()
    return InternalError()
