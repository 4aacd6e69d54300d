"""The answer to a request that receives: one frame, or a stream of them."""

from aiohttp import web

from allibe_gateway.doors.sockjs.encodings import Encoding


class Answer:
    """An answer that frames are written to."""

    def __init__(
        self, encoding: Encoding, callback: bytes, headers: dict[str, str], request: web.Request
    ) -> None:
        self.encoding = encoding
        self.written = 0
        """Bytes of frames so far."""
        self.response = web.StreamResponse(
            headers={
                "Content-Type": encoding.content_type,
                "X-Content-Type-Options": "nosniff",
                "X-Accel-Buffering": "no",
            }
            | headers
        )
        self._callback = callback
        self._request = request

    async def begin(self) -> None:
        """Send the head, and what has to come before frames."""
        await self.response.prepare(self._request)
        await self.response.write(self.encoding.prelude(self._callback))

    async def write(self, frame: bytes) -> None:
        """Send a frame."""
        wrapped = self.encoding.wrap(frame, self._callback)
        self.written += len(wrapped)
        await self.response.write(wrapped)

    async def end(self) -> None:
        """Send the end."""
        await self.response.write_eof()

    async def one(self, frame: bytes) -> None:
        """Send everything, with this frame as the only one."""
        if not self.encoding.streams:
            self.response.content_length = len(self.encoding.wrap(frame, self._callback))
        await self.begin()
        await self.write(frame)
        await self.end()
