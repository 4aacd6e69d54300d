"""The id of a caller's trace, as its request brings it (W3C Trace Context, "traceparent")."""

import re
from collections.abc import Mapping

TRACEPARENT = "traceparent"

_VALID = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_NONE = "0" * 32


def trace_of(headers: Mapping[str, str]) -> str | None:
    """Return 32 hexadecimal digits, or None: no trace, or one that is not written as it has to be.

    Whatever stands there goes into logs, so nothing else may.
    """
    found = _VALID.fullmatch(headers.get(TRACEPARENT, ""))
    return None if found is None or found[1] == _NONE else found[1]
