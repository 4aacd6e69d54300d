"""Each error as `application/problem+json`."""

from collections.abc import Iterator

import msgspec
import pytest

from allibe_rooms_api.problems import MethodNotAllowed, respond
from allibe_services.contracts.errors import AllibeError, NotAllowed, Overloaded, TokenRequired


def leaves(kind: type[AllibeError] = AllibeError) -> Iterator[type[AllibeError]]:
    """Return every error with a code, those of HTTP included."""
    for child in kind.__subclasses__():
        if hasattr(child, "code") and child is not MethodNotAllowed:
            yield child
        yield from leaves(child)


ALL = sorted(set(leaves()), key=lambda kind: kind.code)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_every_error_has_a_complete_problem(kind: type[AllibeError]) -> None:
    response = respond(kind())
    assert isinstance(response.body, bytes)
    problem = msgspec.json.decode(response.body)
    assert response.content_type == "application/problem+json"
    assert (response.status, problem["status"]) == (kind.status, kind.status)
    assert problem["type"] == f"urn:problem-type:allibe:{kind.code}"
    assert (problem["code"], problem["retryable"]) == (kind.code, kind.retryable)
    assert problem["title"] == problem["detail"] == kind.text != ""


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)


def test_the_title_is_the_kind_and_the_detail_the_case() -> None:
    response = respond(NotAllowed("Not on Sundays."))
    assert isinstance(response.body, bytes)
    problem = msgspec.json.decode(response.body)
    assert (problem["title"], problem["detail"]) == ("This is not allowed.", "Not on Sundays.")


@pytest.mark.parametrize(
    ("given", "ms", "header"),
    [(None, 1000, "1"), (0, 0, "1"), (1, 1, "1"), (1001, 1001, "2"), (5000, 5000, "5")],
)
def test_the_header_has_whole_seconds_and_never_less_than_the_body(
    given: int | None, ms: int, header: str
) -> None:
    response = respond(Overloaded(retry_after_ms=given))
    assert isinstance(response.body, bytes)
    assert msgspec.json.decode(response.body)["retryAfterMs"] == ms
    assert response.headers["Retry-After"] == header


def test_what_is_not_retryable_has_no_delay() -> None:
    response = respond(NotAllowed(retry_after_ms=1))
    assert isinstance(response.body, bytes)
    assert b"retryAfterMs" not in response.body
    assert "Retry-After" not in response.headers


def test_only_401_challenges() -> None:
    challenged = {kind for kind in ALL if "WWW-Authenticate" in respond(kind()).headers}
    assert challenged == {kind for kind in ALL if issubclass(kind, TokenRequired)}
