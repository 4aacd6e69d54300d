"""The OpenAPI document, for whoever asks: it holds no secrets, so no token is needed."""

from aiohttp import web

DOCUMENT = web.AppKey("allibe_rooms_api_document", bytes)


async def get_document(request: web.Request) -> web.Response:
    """Show this document. No token is needed."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")
