"""The settings one by one: default, unit, bounds and description; docs/settings.md shows them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from allibe_services.settings.kinds import (
    Bytes,
    Connections,
    Count,
    LeadSeconds,
    Most,
    Pause,
    Port,
    RateText,
    Seconds,
    Shards,
    Switch,
    TokenLife,
)

SECRETS = frozenset(
    {"jwt_secret", "jwt_former_secret", "vapid_private_key", "push_webhook_secrets"}
)
"""Fields whose values are never shown, and which `…_FILE` may supply."""

FROM_FILES = SECRETS | {"bus_url", "database_url", "redis_url"}
"""Fields which `…_FILE` may supply. Of a URL all but the password is shown."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of all processes; each process reads the ones that it needs."""

    host: Annotated[str, Meta(description="Address that clients connect to.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port that clients connect to.")] = 8080
    ops_host: Annotated[str, Meta(description="Address of `/livez`, `/readyz` and `/metrics`.")] = (
        "127.0.0.1"
    )
    ops_port: Annotated[
        Port, Meta(description="Port of `/livez`, `/readyz` and `/metrics`; 0 picks a free one.")
    ] = 9090

    database_url: Annotated[
        str,
        Meta(
            description="The store: `sqlite:////absolute/path`, `sqlite:///relative` or"
            " `postgresql://user:password@host:5432/database`."
        ),
    ] = "sqlite:///.data/allibe.db"
    database_connections: Annotated[
        Connections,
        Meta(description="Most connections of a process to PostgreSQL; they are opened on demand."),
    ] = 8
    bus_url: Annotated[
        str,
        Meta(
            description="The bus: `inprocess:` reaches nobody outside `allibe serve`;"
            " `amqp://user:password@host:5672/vhost` (or `amqps:`) is RabbitMQ."
        ),
    ] = "inprocess:"
    shards: Annotated[
        Shards,
        Meta(
            description="Queues that RabbitMQ spreads rooms over; fixed for the life of a"
            " deployment."
        ),
    ] = 16
    shard_bytes: Annotated[
        Bytes,
        Meta(
            description="Bytes of messages that wait in one of these queues, on RabbitMQ's disk;"
            " beyond, senders are told to try later. Fixed like the number of queues."
        ),
    ] = 268_435_456
    redis_url: Annotated[
        str,
        Meta(
            description="Who is connected, which workers live, tickets: `inprocess:` keeps all"
            " in memory; `redis://user:password@host:6379/0` (or `rediss:`) is Redis 6.2 or later."
        ),
    ] = "inprocess:"

    jwt_algorithm: Annotated[
        str, Meta(description="How tokens are signed: `HS256`, `RS256`, `ES256` or `EdDSA`.")
    ] = "HS256"
    jwt_secret: Annotated[
        str | None, Meta(description="The secret of HS256, at least 32 bytes.")
    ] = None
    jwt_former_secret: Annotated[
        str | None,
        Meta(
            description="The secret before that one, while it is changed: tokens that it has signed"
            " are taken, too, until they end."
        ),
    ] = None
    jwt_public_key_file: Annotated[
        str | None, Meta(description="PEM file of the public key of the other algorithms.")
    ] = None
    jwt_jwks_url: Annotated[
        str | None,
        Meta(
            description="Where the issuer publishes those public keys (JWKS), in place of a file;"
            " `https`, but on this machine. Fetched every five minutes, and for unknown `kid`s."
        ),
    ] = None
    jwt_private_key_file: Annotated[
        str | None, Meta(description="PEM file to sign with; only `allibe token` reads it.")
    ] = None
    jwt_audience: Annotated[str | None, Meta(description="The `aud` that tokens must have.")] = None
    jwt_issuer: Annotated[str | None, Meta(description="The `iss` that tokens must have.")] = None

    token_life_seconds: Annotated[
        TokenLife,
        Meta(
            description="Longest life of a token that the issuer makes: revocations are kept for"
            " so long. A revoked token that lives longer is taken again."
        ),
    ] = 2_592_000.0

    origins: Annotated[
        str,
        Meta(
            description="Web pages that may connect, and read the HTTP side: their exact origins,"
            " with commas between (`https://chat.example.com`). `self` is the one that requests"
            " are sent to (`Host`), `*` is any, `null` is what a sandboxed page says."
        ),
    ] = "self"
    sockjs_client_url: Annotated[
        str,
        Meta(
            pattern="^(https?:/)?/",
            examples=["https://chat.example.com/sockjs.min.js", "/sockjs.min.js"],
            description="Where the page of SockJS's iframe loads sockjs-client from; its version"
            " must be that of your pages. Only browsers without CORS need it.",
        ),
    ] = "https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js"

    vapid_private_key: Annotated[
        str | None,
        Meta(
            description="Signs Web Push messages: a P-256 key, PEM or 32 bytes in base64url;"
            " `allibe vapid` makes one. Browsers must subscribe anew when it changes."
        ),
    ] = None
    vapid_subject: Annotated[
        str | None,
        Meta(
            description="Whom push services turn to when something is wrong: `mailto:` an address,"
            " or an `https://` page."
        ),
    ] = None

    push_hosts: Annotated[
        str,
        Meta(
            description="The only push services that browsers may subscribe with, if any are named:"
            " hosts, or `*.` and a domain, with commas between."
        ),
    ] = ""
    push_webhook_url: Annotated[
        str | None,
        Meta(description="Where notifications are posted to as well: an `https` server of yours."),
    ] = None
    push_webhook_secrets: Annotated[
        str | None,
        Meta(
            description="Sign what is posted there: 1 to 4, with commas between, each base64 of 24"
            " to 64 bytes. To change it, put the new one first."
        ),
    ] = None
    push_delay_seconds: Annotated[
        LeadSeconds,
        Meta(
            description="Time for a member who is connected, but does not look at the room, to read"
            " it there before it is pushed."
        ),
    ] = 10.0

    heart_beat_seconds: Annotated[
        Seconds, Meta(description="Heart-beat offered to clients, both ways.")
    ] = 10.0
    sign_in_seconds: Annotated[
        Seconds, Meta(description="Time for a connection to bring a token.")
    ] = 10.0
    publish_seconds: Annotated[
        Seconds, Meta(description="Time for a message to be stored or confirmed.")
    ] = 5.0
    drain_seconds: Annotated[
        Seconds,
        Meta(
            description="Time from SIGTERM until every connection has been sent away, with its"
            " receipts, and requests are answered. Be killed some seconds later than that."
        ),
    ] = 25.0
    drain_lead_seconds: Annotated[
        LeadSeconds,
        Meta(
            description="The first part of it, at most a half: unready, but taking connections,"
            " for load balancers that have not noticed yet."
        ),
    ] = 0.0
    drain_rate: Annotated[
        Count,
        Meta(
            description="WebSockets sent away in a second, evenly; more only if the time is too"
            " short for so few."
        ),
    ] = 200
    subscriptions_per_connection: Annotated[
        Count, Meta(description="Most subscriptions of a connection.")
    ] = 100
    in_flight_per_connection: Annotated[
        Count, Meta(description="Most messages of a connection without a receipt.")
    ] = 256
    recovery_messages: Annotated[
        Count, Meta(description="Longest gap that is replayed to a client that comes back.")
    ] = 500
    tail_bytes: Annotated[
        Bytes, Meta(description="Bytes of newest messages kept per room for recovery.")
    ] = 262_144
    websocket_compression: Annotated[
        Switch,
        Meta(
            description="Whether clients that offer permessage-deflate get it: messages of"
            " rooms have a fifth to a half fewer bytes, and cost more CPU (`decisions/0024`)."
        ),
    ] = "off"
    slow_consumer_bytes: Annotated[
        Bytes, Meta(description="Unsent bytes at which a connection is closed.")
    ] = 1_048_576
    slow_consumers_bytes: Annotated[
        Bytes,
        Meta(
            description="Unsent bytes of all connections of a gateway at which those furthest"
            " behind are closed."
        ),
    ] = 134_217_728

    limit_user_messages: Annotated[
        RateText, Meta(description="Messages of a user: so many a second, so many at once.")
    ] = "20/40"
    limit_room_messages: Annotated[
        RateText, Meta(description="Messages in a room: so many a second, so many at once.")
    ] = "200/400"
    limit_slow_mode: Annotated[
        Pause, Meta(description="Seconds between two messages of a user in a room, in all rooms.")
    ] = "off"
    limit_user_requests: Annotated[
        RateText, Meta(description="HTTP requests of a user: so many a second, so many at once.")
    ] = "50/200"
    limit_user_pushes: Annotated[
        RateText,
        Meta(
            description="Pushes to a user: so many a second, so many at once; beyond, they wait and"
            " become one per room."
        ),
    ] = "0.1/10"
    limit_connection_frames: Annotated[
        RateText,
        Meta(
            description="Frames from a connection: so many a second, so many at once; beyond, it is"
            " read more slowly."
        ),
    ] = "200/1000"
    limit_connection_bytes: Annotated[
        RateText, Meta(description="Bytes from a connection, as its frames.")
    ] = "262144/1048576"
    limit_user_connections: Annotated[
        Most, Meta(description="Most connections of a user that are signed in.")
    ] = "50"
    limit_address_connections: Annotated[
        Most,
        Meta(
            description="Most connections from an IPv4 address or an IPv6 network of 64 bits."
            " Those of private networks count where `ALLIBE_TRUSTED_PROXIES` is set: else they are"
            " most likely a proxy's."
        ),
    ] = "1000"
    limit_unsigned_connections: Annotated[
        Most, Meta(description="Most connections of a process that nobody has signed in on yet.")
    ] = "5000"
    limit_new_connections: Annotated[
        RateText, Meta(description="New connections of a process: so many a second, at once.")
    ] = "300/2000"
    limits_dry_run: Annotated[
        str,
        Meta(
            description="Limits that only count what exceeds them (`allibe_limit_exceeded_total`),"
            " with commas between, or `all`: see [limits](limits.md)."
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Networks (`10.0.0.0/8,fd00::/8`) whose word counts on where a connection"
            " comes from: `X-Forwarded-For`."
        ),
    ] = ""

    log_level: Annotated[
        str,
        Meta(
            description="`debug`, `info`, `warning` or `error`; `PUT /log-level` on the operations"
            " port changes it."
        ),
    ] = "info"
    log_format: Annotated[str, Meta(description="`console` or `json`.")] = "json"

    traces_url: Annotated[
        str,
        Meta(
            description="Where traces of messages go, as OTLP over HTTP:"
            " `http://collector:4318/v1/traces`; empty: nowhere. Needs `allibe[traces]`."
        ),
    ] = ""
    traces_ratio: Annotated[
        float, Meta(ge=0, le=1, description="Part of all messages that is traced.")
    ] = 0.01
