"""Errors as HTTP answers: `application/problem+json` (RFC 9457), for every status.

Besides `contracts.errors` there are errors that only HTTP knows; they are here.
"""

from http import HTTPStatus
from math import ceil

import msgspec
from aiohttp import hdrs, web

from allibe_rooms_api.schemas import Problem
from allibe_services.contracts.errors import AllibeError, BadRequest, Refused, TokenRequired

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:allibe:"
"""`type` names the problem, `code` is its last part. It is a name, not an address."""

RETRY_AFTER_MS = 1000
"""What retryable errors say that do not know better: a broken connection is often back by then."""


class UnknownRoute(Refused):
    """No such path."""

    code, status, text = "unknown_route", 404, "There is nothing at this address."


class MethodNotAllowed(Refused):
    """The path exists, but not for this method; `allow` lists those that it has."""

    code, status, text = "method_not_allowed", 405, "This address does not take this method."

    def __init__(self, allow: str) -> None:
        self.allow = allow
        super().__init__(f"This address takes {allow}.")


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
    return web.Response(
        status=error.status,
        body=msgspec.json.encode(problem_of(error)),
        content_type=PROBLEM_JSON,
        headers=_headers(error),
    )


def from_http(exception: web.HTTPException) -> AllibeError:
    """Return the error behind aiohttp's own refusals (no such route, wrong method, …)."""
    if isinstance(exception, web.HTTPNotFound):
        return UnknownRoute()
    if isinstance(exception, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(", ".join(sorted(exception.allowed_methods)))
    if exception.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BadRequest()
    return InternalError()


def problem_of(error: AllibeError) -> Problem:
    """Return the body that tells of an error."""
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=error.text,
        status=error.status,
        detail=error.message,
        code=error.code,
        retryable=error.retryable,
        retry_after_ms=_retry_after_ms(error) if error.retryable else msgspec.UNSET,
    )


def _headers(error: AllibeError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.retryable:
        headers[hdrs.RETRY_AFTER] = str(max(1, ceil(_retry_after_ms(error) / 1000)))
    if isinstance(error, TokenRequired):
        headers[hdrs.WWW_AUTHENTICATE] = _challenge(error)
    if isinstance(error, MethodNotAllowed):
        headers[hdrs.ALLOW] = error.allow
    return headers


def _challenge(error: TokenRequired) -> str:
    # RFC 6750 §3.1: the error only where a token was shown.
    return "Bearer" if error.code == TokenRequired.code else 'Bearer error="invalid_token"'


def _retry_after_ms(error: AllibeError) -> int:
    return RETRY_AFTER_MS if error.retry_after_ms is None else error.retry_after_ms
