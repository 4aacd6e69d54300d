"""Who may do what in a room: one table.

A caller stands in a room as a member of some role, or as the system: a back end whose token has
the scope `chat:admin` and that acts in any room, member or not. Read markers are not in the table:
they belong to memberships, so the store knows who has one.
"""

from collections.abc import Mapping
from enum import Enum, auto

from allibe_services.auth import Identity
from allibe_services.contracts.errors import NotAllowed, NotAMember
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.rooms import Role
from allibe_services.store.base import Members

SYSTEM_SCOPE = "chat:admin"


class Standing(Enum):
    """As what a caller acts in a room."""

    MEMBER = auto()
    ADMIN = auto()
    OWNER = auto()
    SYSTEM = auto()


class Action(Enum):
    """What can be done in a room; the value says it to people who may not."""

    READ = "read this room"
    POST = "post to this room"
    POST_AS_ANOTHER = "post in another's name"
    ADD_MEMBER = "add members"
    APPOINT = "add owners or admins"
    CHANGE_ROLE = "change roles"
    REMOVE_MEMBER = "remove members"
    REMOVE_ADMIN = "remove admins"
    REMOVE_OWNER = "remove owners"


_MEMBER = frozenset({Action.READ, Action.POST})
_ADMIN = _MEMBER | {Action.ADD_MEMBER, Action.REMOVE_MEMBER}
_OWNER = _ADMIN | {Action.APPOINT, Action.CHANGE_ROLE, Action.REMOVE_ADMIN, Action.REMOVE_OWNER}
_SYSTEM = _OWNER | {Action.POST_AS_ANOTHER}

ALLOWED: Mapping[Standing, frozenset[Action]] = {
    Standing.MEMBER: _MEMBER,
    Standing.ADMIN: _ADMIN,
    Standing.OWNER: _OWNER,
    Standing.SYSTEM: _SYSTEM,
}
"""The table."""

_STANDING = {
    Role.MEMBER: Standing.MEMBER,
    Role.ADMIN: Standing.ADMIN,
    Role.OWNER: Standing.OWNER,
}
_REMOVAL = {
    Role.MEMBER: Action.REMOVE_MEMBER,
    Role.ADMIN: Action.REMOVE_ADMIN,
    Role.OWNER: Action.REMOVE_OWNER,
}


def is_system(identity: Identity) -> bool:
    """Tell whether the token speaks for the system."""
    return SYSTEM_SCOPE in identity.scopes


def adding(role: Role) -> Action:
    """Return what it is to add somebody in this role."""
    return Action.ADD_MEMBER if role is Role.MEMBER else Action.APPOINT


def removing(role: Role) -> Action:
    """Return what it is to remove somebody of this role."""
    return _REMOVAL[role]


async def standing(members: Members, identity: Identity, room_id: RoomId) -> Standing:
    """Return as what the caller acts in the room. Raises `UnknownRoom`, `NotAMember`."""
    try:
        role = await members.role(room_id, identity.user_id)
    except NotAMember:
        if is_system(identity):
            return Standing.SYSTEM
        raise
    return Standing.SYSTEM if is_system(identity) else _STANDING[role]


def require(caller: Standing, action: Action) -> None:
    """Raise `NotAllowed` unless the table has it."""
    if action not in ALLOWED[caller]:
        raise NotAllowed(f"Your role does not allow you to {action.value}.")
