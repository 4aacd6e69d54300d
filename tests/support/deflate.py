"""permessage-deflate as a client's side of it, on the bare wire: RFC 7692 §7.2."""

import zlib


def compressed(content: bytes) -> bytes:
    """Return a message's content as it goes on the wire, with a fresh context."""
    making = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (making.compress(content) + making.flush(zlib.Z_SYNC_FLUSH))[:-4]
