"""The table of close codes as the web client has it: what `make docs` keeps in `web/client/src`."""

import json
from collections.abc import Iterable

from allibe_services.contracts.disconnects import TABLE, Disconnect

WIDTH = 100
"""Columns of a line, as in web/biome.json: the formatter leaves the file as it is."""

_HEAD = """\
/** The server's table of close codes; made by `make docs` from contracts/disconnects.py. */

export interface Disconnect {
  readonly code: number;
  readonly reason: string;
  /** May the client come back by itself? */
  readonly reconnect: boolean;
  /** How long to wait at least before that (ms). */
  readonly delayMs: number;
  /** Is a fresh token needed first? */
  readonly newToken: boolean;
}

export const DISCONNECTS: readonly Disconnect[] = [
"""


def disconnects() -> str:
    """Return web/client/src/disconnects.ts."""
    return _HEAD + "".join(map(_entry, TABLE)) + "];\n"


def _entry(one: Disconnect) -> str:
    fields = (
        f"code: {one.code}",
        f"reason: {_quoted(one.reason)}",
        f"reconnect: {json.dumps(one.reconnect)}",
        f"delayMs: {one.delay_ms}",
        f"newToken: {json.dumps(one.new_token)}",
    )
    line = f"  {{ {', '.join(fields)} }},"
    return f"{line}\n" if len(line) <= WIDTH else _one_a_line(fields)


def _one_a_line(fields: Iterable[str]) -> str:
    return "  {\n" + "".join(f"    {field},\n" for field in fields) + "  },\n"


def _quoted(text: str) -> str:
    as_json = json.dumps(text, ensure_ascii=False)
    return as_json if "'" in text or '"' in text else f"'{as_json[1:-1]}'"
