"""The table of routes, and which errors follow from the shape of an operation."""

from allibe_rooms_api.operations import OPERATIONS, Operation, errors_of


def codes(operation: Operation) -> set[str]:
    return {error.code for error in errors_of(operation)}


def named(method: str, path: str) -> Operation:
    (found,) = (one for one in OPERATIONS if (one.method, one.path) == (method, path))
    return found


def test_no_route_is_there_twice() -> None:
    routes = [(one.method, one.path) for one in OPERATIONS]
    assert len(set(routes)) == len(routes)


def test_errors_follow_from_the_shape() -> None:
    bare = codes(named("GET", "/rooms/{roomId}"))
    assert {"token_required", "not_a_member", "unknown_room", "invalid_room_id"} <= bare
    assert not {"bad_request", "body_too_large"} & bare
    assert "bad_request" in codes(named("GET", "/rooms"))
    body = {"bad_request", "body_too_large", "body_timeout", "unsupported_media_type"}
    assert body <= codes(named("PUT", "/rooms/{roomId}/read"))
    assert codes(named("GET", "/openapi.json")) == {"internal_error"}
