"""What values of settings may be: their types, with bounds and patterns."""

from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
LeadSeconds = Annotated[float, Meta(ge=0, le=3600)]
TokenLife = Annotated[float, Meta(ge=60, le=366 * 24 * 3600)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=1024, le=1 << 30)]
Connections = Annotated[int, Meta(ge=1, le=1000)]
RateText = Annotated[
    str,
    Meta(
        pattern=r"^(off|[0-9]+(\.[0-9]+)?/[1-9][0-9]*)$",
        examples=["20/40 (20 a second, 40 at once)", "off"],
    ),
]
Pause = Annotated[
    str,
    Meta(
        pattern=r"^(off|[1-9][0-9]{0,3}|0?\.[0-9]*[1-9])$",
        examples=["10 (seconds)", "0.5", "off"],
    ),
]
Most = Annotated[str, Meta(pattern=r"^(off|[1-9][0-9]{0,6})$", examples=["100", "off"])]
"""A limit, or `off`."""

Switch = Annotated[str, Meta(pattern=r"^(on|off)$", examples=["on", "off"])]

Shards = Annotated[int, Meta(ge=1, le=256)]
"""A worker may consume all, each over a channel; RabbitMQ allows 2,047 in a connection, and makes
as many queues one by one when it is first met. 64 are slower than 16 already."""
