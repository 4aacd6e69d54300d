"""What frames are wrapped in, for each way to receive over HTTP (sockjs-protocol 0.3.3)."""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from allibe_gateway.doors.sockjs.wire import event_source_data, javascript_string

_CALLBACK: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
"""A callback's name stands in a script as it came: nothing that could be more than a name."""

_JAVASCRIPT: Final = "application/javascript; charset=UTF-8"

_HTML_FILE: Final = b"""<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.%b;
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>
"""


class BadCallback(Exception):
    """The callback's name is missing or is none; the text is what the client gets."""


class Encoding(Struct, frozen=True):
    """One way to receive. `wrap` and `prelude` are given the callback, empty where there is none.

    Where `streams` is false an answer has one frame and ends.
    """

    name: str
    method: str
    content_type: str
    streams: bool
    wrap: Callable[[bytes, bytes], bytes]
    prelude: Callable[[bytes], bytes] = lambda _: b""
    needs_callback: bool = False

    def callback(self, name: str | None) -> bytes:
        """Return the callback's name, checked. Raises `BadCallback`."""
        if not self.needs_callback:
            return b""
        if not name:
            raise BadCallback('"callback" parameter required')
        if not _CALLBACK.fullmatch(name):
            raise BadCallback('invalid "callback" parameter')
        return name.encode()


ENCODINGS: Final = (
    Encoding("xhr", "POST", _JAVASCRIPT, streams=False, wrap=lambda frame, _: frame + b"\n"),
    Encoding(
        "xhr_streaming",
        "POST",
        _JAVASCRIPT,
        streams=True,
        wrap=lambda frame, _: frame + b"\n",
        # Some browsers show nothing of an answer before so many bytes.
        prelude=lambda _: b"h" * 2048 + b"\n",
    ),
    Encoding(
        "eventsource",
        "GET",
        "text/event-stream; charset=UTF-8",
        streams=True,
        wrap=lambda frame, _: b"data: %b\r\n\r\n" % event_source_data(frame),
        prelude=lambda _: b"\r\n",
    ),
    Encoding(
        "htmlfile",
        "GET",
        "text/html; charset=UTF-8",
        streams=True,
        wrap=lambda frame, _: b"<script>\np(%b);\n</script>\r\n" % javascript_string(frame),
        prelude=lambda callback: (_HTML_FILE % callback).ljust(1024) + b"\r\n\r\n",
        needs_callback=True,
    ),
    Encoding(
        "jsonp",
        "GET",
        _JAVASCRIPT,
        streams=False,
        # The comment keeps the answer from being taken for another kind of file by its beginning.
        wrap=lambda frame, callback: b"/**/%b(%b);\r\n" % (callback, javascript_string(frame)),
        needs_callback=True,
    ),
)
