"""The OpenAPI 3.1 document, made from the table of operations and the msgspec types.

`python -m allibe_rooms_api.openapi > docs/openapi.json` writes it; the same types and table
always give the same bytes.
"""

import inspect
import json
import sys
from itertools import groupby
from typing import Any

import msgspec

from allibe_rooms_api.operations import OPERATIONS, PREFIX, Operation, Query, Response, errors_of
from allibe_rooms_api.schemas import pattern
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.ids import ROOM_ID_PATTERN, USER_ID_PATTERN
from allibe_services.problems import PROBLEM_JSON, Problem, problem_of

API_VERSION = "1.0.0"
"""Of what the document describes; it changes with the API, not with each release."""

_JSON = "application/json"
_PATH_PATTERNS = {"roomId": ROOM_ID_PATTERN, "user": USER_ID_PATTERN}
_DESCRIPTION = """\
Rooms, history, members, read markers and notifications of Allibe. Messages also travel over the \
WebSocket; a room's log has the same offsets here and there.

Every error is `application/problem+json` with a stable `code`. What is `retryable` may be \
repeated after `retryAfterMs`. Every answer has `Cache-Control: no-store`.

A token of scope `chat:admin` speaks for the system: it may do all of this in any room, except \
moving the read marker of a membership that it does not have, or muting its room."""
_AUTHORIZATION = "A JWT as `Authorization: Bearer <token>`; the word `Bearer` may be left out."

Json = dict[str, Any]


def document() -> Json:
    """Return the OpenAPI document."""
    schemas = _Schemas()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Allibe rooms API", "version": API_VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": _paths(schemas),
        "components": {
            "schemas": schemas.components,
            "examples": _error_examples(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": _AUTHORIZATION,
                }
            },
        },
    }


def render() -> str:
    """Return the document as text: sorted, indented, with a newline at its end."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


class _Schemas:
    """The schemas of all bodies, with references to their components."""

    def __init__(self) -> None:
        kinds = [kind for operation in OPERATIONS for kind in _kinds(operation)]
        found, self.components = msgspec.json.schema_components(
            [*kinds, Problem], ref_template="#/components/schemas/{name}"
        )
        for schema in self.components.values():
            # Docstrings as written: how they are indented depends on the version of Python.
            schema["description"] = _one_line(schema["description"])
        self._of = {repr(kind): schema for kind, schema in zip(kinds, found, strict=False)}

    def of(self, kinds: tuple[Any, ...]) -> Json:
        found = [self._of[repr(kind)] for kind in kinds]
        return found[0] if len(found) == 1 else {"anyOf": found}


def _kinds(operation: Operation) -> list[Any]:
    request = [operation.request] if operation.request else []
    return request + [kind for one in operation.responses.values() for kind in one.kinds]


def _paths(schemas: _Schemas) -> Json:
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        path = paths.setdefault(PREFIX + operation.path, {})
        path[operation.method.lower()] = _operation(operation, schemas)
    return paths


def _operation(operation: Operation, schemas: _Schemas) -> Json:
    handler = operation.handler
    summary, _, description = (inspect.getdoc(handler) or "").partition("\n\n")
    found: Json = {
        "operationId": _camel(getattr(handler, "__name__", "")),
        "summary": _one_line(summary).removesuffix("."),
        "description": _one_line(description),
        "tags": [getattr(handler, "__module__", "").rpartition(".")[2]],
        "parameters": _path_parameters(operation) + [_query(one) for one in operation.query],
        "responses": _responses(operation, schemas),
    }
    if operation.request:
        content = {"schema": schemas.of((operation.request,)), "example": operation.request_example}
        found["requestBody"] = {"required": True, "content": {_JSON: content}}
    if operation.public:
        found["security"] = []
    return {name: value for name, value in found.items() if value or name == "security"}


def _path_parameters(operation: Operation) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} | pattern(text),
        }
        for name, text in _PATH_PATTERNS.items()
        if f"{{{name}}}" in operation.path
    ]


def _query(query: Query) -> Json:
    return {
        "name": query.name,
        "in": "query",
        "description": query.description,
        "schema": query.schema,
    }


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    good = {str(status): _good(one, schemas) for status, one in operation.responses.items()}
    errors = sorted(errors_of(operation), key=lambda error: error.status)
    bad = {
        str(status): _bad(list(group)) for status, group in groupby(errors, lambda one: one.status)
    }
    return good | bad


def _good(response: Response, schemas: _Schemas) -> Json:
    found: Json = {"description": response.description}
    if response.kinds:
        media: Json = {"schema": schemas.of(response.kinds)}
        if response.example is not None:
            media["example"] = response.example
        found["content"] = {_JSON: media}
    if response.headers:
        found["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in response.headers.items()
        }
    return found


def _bad(errors: list[type[AllibeError]]) -> Json:
    codes = sorted(error.code for error in errors)
    return {
        "description": "Codes: " + ", ".join(f"`{code}`" for code in codes) + ".",
        "content": {
            PROBLEM_JSON: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _error_examples() -> Json:
    errors = {error for operation in OPERATIONS for error in errors_of(operation)}
    return {
        error.code: {"value": msgspec.to_builtins(problem_of(error())), "summary": error.text}
        for error in errors
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.stdout.write(render())
