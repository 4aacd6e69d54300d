"""The AsyncAPI 3.0 document of both doors, made from their msgspec types.

`python -m allibe_gateway.asyncapi > docs/asyncapi.json` writes it; the same types and tables
always give the same bytes. `channels` says what goes where, `frames` which headers STOMP frames
have, `document` puts them together.
"""

from allibe_gateway.asyncapi.document import document, render

__all__ = ["document", "render"]
