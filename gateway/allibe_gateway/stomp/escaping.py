"""Escaping of header names and values: STOMP, "Value Encoding".

1.0 has no escapes. 1.1 has three, 1.2 adds the carriage return. CONNECT and CONNECTED are never
escaped, since a peer of 1.0 has to understand them; nor is STOMP, which servers "MUST handle in
the same manner as a CONNECT frame" (and which stomp.py sends unescaped).
"""

import re
from collections.abc import Mapping
from typing import Final

from allibe_gateway.stomp.errors import UndefinedEscape
from allibe_gateway.stomp.versions import Version

_ESCAPES_1_1: Final = {"\\": "\\\\", "\n": "\\n", ":": "\\c"}
_ESCAPES: Final[Mapping[Version, Mapping[str, str]]] = {
    Version.V1_0: {},
    Version.V1_1: _ESCAPES_1_1,
    Version.V1_2: _ESCAPES_1_1 | {"\r": "\\r"},
}

_TO_WIRE: Final = {version: str.maketrans(dict(table)) for version, table in _ESCAPES.items()}
_FROM_WIRE: Final = {
    version: {escaped: plain for plain, escaped in table.items()}
    for version, table in _ESCAPES.items()
}
_SEQUENCE: Final = re.compile(r"\\.?")
_NEVER_ESCAPED: Final = frozenset({"CONNECT", "STOMP", "CONNECTED"})


def header_rules(command: str, version: Version) -> Version:
    """The version whose header rules hold for this command on a connection of this version."""
    return Version.V1_0 if command in _NEVER_ESCAPED else version


def escape(text: str, rules: Version) -> str:
    """A header name or value as it stands on the wire."""
    return text.translate(_TO_WIRE[rules])


def unescape(text: str, rules: Version) -> str:
    """A header name or value as it was meant. Raises UndefinedEscape."""
    if "\\" not in text or rules is Version.V1_0:
        return text
    known = _FROM_WIRE[rules]

    def plain(match: re.Match[str]) -> str:
        try:
            return known[match[0]]
        except KeyError:
            raise UndefinedEscape(
                f"a header has an escape that STOMP {rules} does not define"
            ) from None

    return _SEQUENCE.sub(plain, text)
