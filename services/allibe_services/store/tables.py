"""The schema, as SQLAlchemy tables: one for SQLite and PostgreSQL.

Times are whole milliseconds since 1970 (`contracts.messages.milliseconds`). Lengths are those of
the id patterns in `contracts.ids`; PostgreSQL enforces them, SQLite does not. Migrations never
import this module (they describe the past); a test compares the two.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.types import TypeEngine

from allibe_services.contracts.notifications import ZONE_LENGTH
from allibe_services.contracts.push import ENDPOINT_LENGTH
from allibe_services.contracts.rooms import NAME_LENGTH

REVISION = "0006"
"""The migration that makes these tables: what a current database says it is at."""

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
"""Names for every constraint, so that a later migration can speak of them."""

CLIENT_KEY_COLLATION = "POSIX"
"""What the client's own key is sought by on PostgreSQL: C by another name.

An index serves only comparisons by its name. So the index on that key, and none of the others,
serves these, and it serves no others: where rooms have few messages on average, one index looks
as good to the planner as the other, and then each key reads the whole of a large room.
"""

MESSAGE_PARTITIONS = 8
"""Tables that PostgreSQL keeps messages in, by a hash of the room: see docs/decisions/0026.

Fixed by the migration that made them.
"""

metadata = MetaData(naming_convention=NAMING)


def id_text(length: int) -> TypeEngine[str]:
    """Return the type of an id: compared byte by byte everywhere, as Python and SQLite do.

    PostgreSQL would otherwise sort by the language of the database, and differently after an
    upgrade of the system's C library, which also breaks indexes.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


rooms = Table(
    "rooms",
    metadata,
    Column("room_id", id_text(64), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("epoch", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", id_text(128), nullable=False),
    Column("last_offset", BigInteger, nullable=False, server_default=text("0")),
    Column("last_message", Text),
    Column("last_message_at", BigInteger),
    Column("last_message_sender", id_text(128)),
    Column("pruned_offset", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("room_id"),
)

members = Table(
    "members",
    metadata,
    Column("room_id", id_text(64), nullable=False),
    Column("user_id", id_text(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("read_offset", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("room_id", "user_id"),
    ForeignKeyConstraint(["room_id"], ["rooms.room_id"]),
    Index(None, "user_id"),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    Column("room_id", id_text(64), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("message_id", id_text(36), nullable=False),
    Column("sender", id_text(128), nullable=False),
    Column("sender_name", Text),
    Column("content", Text, nullable=False),
    Column("client_message_id", id_text(64)),
    Column("sent_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("room_id", "offset"),
    ForeignKeyConstraint(["room_id"], ["rooms.room_id"]),
    UniqueConstraint("message_id").ddl_if(dialect="sqlite"),
    # A partitioned table cannot have it without the room.
    UniqueConstraint("message_id", "room_id").ddl_if(dialect="postgresql"),
    Index(None, "room_id", "sender", "offset"),  # counts a member's own messages
    sqlite_with_rowid=False,  # history lies on the disk in the order in which it is read
    postgresql_partition_by="HASH (room_id)",
)

for _number in range(MESSAGE_PARTITIONS):
    _partition = DDL(  # type: ignore[no-untyped-call]
        f"CREATE TABLE messages_{_number} PARTITION OF messages"
        f" FOR VALUES WITH (MODULUS {MESSAGE_PARTITIONS}, REMAINDER {_number})"
    )
    event.listen(messages, "after_create", _partition.execute_if(dialect="postgresql"))

CLIENT_KEY = (messages.c.room_id, messages.c.sender, messages.c.client_message_id)

Index(
    "uq_messages_room_id_sender_client_message_id",
    *CLIENT_KEY,
    unique=True,
    postgresql_ops={  # of the room it has to be the one that messages are divided by
        column.name: f'COLLATE "{CLIENT_KEY_COLLATION}"' for column in CLIENT_KEY[1:]
    },
)

revocations = Table(
    "revocations",
    metadata,
    Column("kind", id_text(8), nullable=False),
    Column("subject", id_text(256), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "subject"),
    UniqueConstraint("number"),
    sqlite_with_rowid=False,
)

last_revocation = Table(
    "last_revocation",  # one row
    metadata,
    Column("id", Integer, autoincrement=False, nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
)

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("subscription_id", id_text(43), nullable=False),  # a hash: endpoints are long
    Column("user_id", id_text(128), nullable=False),
    Column("endpoint", String(ENDPOINT_LENGTH), nullable=False),
    Column("p256dh", String(88), nullable=False),
    Column("auth", String(24), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("subscription_id"),
    Index(None, "user_id", "created_at"),
    sqlite_with_rowid=False,
)

notification_settings = Table(
    "notification_settings",
    metadata,
    Column("user_id", id_text(128), nullable=False),
    Column("quiet_start", Integer, nullable=False),
    Column("quiet_end", Integer, nullable=False),
    Column("time_zone", String(ZONE_LENGTH), nullable=False),
    PrimaryKeyConstraint("user_id"),
    sqlite_with_rowid=False,
)

muted_rooms = Table(
    "muted_rooms",
    metadata,
    Column("room_id", id_text(64), nullable=False),
    Column("user_id", id_text(128), nullable=False),
    Column("muted_until", BigInteger, nullable=False),
    PrimaryKeyConstraint("room_id", "user_id"),
    ForeignKeyConstraint(
        ["room_id", "user_id"], ["members.room_id", "members.user_id"], ondelete="CASCADE"
    ),
    Index(None, "user_id"),
    sqlite_with_rowid=False,
)

push_progress = Table(
    "push_progress",  # one row per room: up to where its members are accounted for
    metadata,
    Column("room_id", id_text(64), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("after_user", id_text(128), nullable=False),
    PrimaryKeyConstraint("room_id"),
    ForeignKeyConstraint(["room_id"], ["rooms.room_id"]),
    sqlite_with_rowid=False,
)

push_users = Table(
    "push_users",  # one row per user with pushes: whose turn it is, and who has it
    metadata,
    Column("user_id", id_text(128), nullable=False),
    Column("due_at", BigInteger),
    Column("held_until", BigInteger, nullable=False, server_default=text("0")),
    Column("free_at", BigInteger, nullable=False, server_default=text("0")),
    Column("claimed_by", String(32), nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("user_id"),
    Index(None, "due_at"),
    sqlite_with_rowid=False,
)

pushes = Table(
    "pushes",  # scheduled: one row per user and room
    metadata,
    Column("user_id", id_text(128), nullable=False),
    Column("room_id", id_text(64), nullable=False),
    Column("push_id", String(36), nullable=False),
    Column("first_offset", BigInteger, nullable=False),
    Column("told_offset", BigInteger, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("done", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("user_id", "room_id"),
    sqlite_with_rowid=False,
)

dead_pushes = Table(
    "dead_pushes",  # ended undeliverable: one row per way
    metadata,
    Column("died_at", BigInteger, nullable=False),
    Column("push_id", id_text(36), nullable=False),
    Column("way", id_text(43), nullable=False),
    Column("user_id", id_text(128), nullable=False),
    Column("room_id", id_text(64), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("service", String(300), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("last", String(24), nullable=False),
    Column("tries", Integer, nullable=False),
    PrimaryKeyConstraint("died_at", "push_id", "way"),
    sqlite_with_rowid=False,
)

push_decisions = Table(
    "push_decisions",  # of the last day, the newest of each kind
    metadata,
    Column("user_id", id_text(128), nullable=False),
    Column("room_id", id_text(64), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "room_id", "reason"),
    Index(None, "decided_at"),
    sqlite_with_rowid=False,
)
