"""Examples of bodies, as the OpenAPI document shows them. The room list is the requirements'."""

_EPOCH = "k3v9x1"

ROOMS = [
    {
        "roomId": "123",
        "name": "Project Team",
        "lastMessage": "See you tomorrow!",
        "lastMessageAt": "2025-03-03T09:41:07.125Z",
        "lastMessageSender": "bob",
        "unreadCount": 2,
        "readOffset": 40,
        "lastOffset": 42,
        "epoch": _EPOCH,
        "role": "owner",
        "createdAt": "2025-03-01T08:00:00Z",
    },
    {
        "roomId": "456",
        "name": "Friend Chat",
        "lastMessage": "Let's meet at 5 PM",
        "lastMessageAt": "2025-03-02T16:20:00Z",
        "lastMessageSender": "carol",
        "unreadCount": 0,
        "readOffset": 7,
        "lastOffset": 7,
        "epoch": "m2q7d4",
        "role": "member",
        "createdAt": "2025-03-02T08:00:00Z",
    },
]

NEW_ROOM = {"name": "Project Team", "roomId": "123", "members": ["bob", "carol"]}

NEW_ROOM_ANSWER = ROOMS[0] | {
    "lastMessage": None,
    "lastMessageAt": None,
    "lastMessageSender": None,
    "unreadCount": 0,
    "readOffset": 0,
    "lastOffset": 0,
}

MESSAGE = {
    "type": "message",
    "roomId": "123",
    "epoch": _EPOCH,
    "offset": 42,
    "messageId": "01955b3c-7a45-7c21-9f8e-2d6f0b6a1c53",
    "sender": "bob",
    "senderName": "Bob",
    "content": "See you tomorrow!",
    "clientMessageId": "c-17",
    "sentAt": "2025-03-03T09:41:07.125Z",
}

NEW_MESSAGE = {"content": "See you tomorrow!", "clientMessageId": "c-17"}

ACCEPTED = {key: MESSAGE[key] for key in ("messageId", "roomId", "clientMessageId")}

HISTORY = {"messages": [MESSAGE], "epoch": _EPOCH, "lastOffset": 42, "nextBefore": 42}

MEMBER = {
    "user": "bob",
    "role": "admin",
    "joinedAt": "2025-03-01T08:00:00Z",
    "readOffset": 42,
}

NEW_MEMBER = {"user": "bob", "role": "admin"}

ROLE_CHANGE = {"role": "admin"}

READ_POSITION = {"offset": 42}

MARKER = {"roomId": "123", "offset": 42, "unreadCount": 0, "moved": True}

TICKET = {
    "ticket": "3q2-7wEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJo",
    "expiresAt": "2025-03-03T09:41:37.125Z",
}

NEW_REVOCATION = {"userId": "mallory"}

REVOCATION = {
    "userId": "mallory",
    "revokedAt": "2025-03-03T09:41:07.125Z",
    "expiresAt": "2025-04-02T09:41:07.125Z",
}

MUTE = {"until": "2025-03-04T08:00:00Z"}

WISHES = {"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"}}

PUSH_KEY = {
    "key": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
}

NEW_SUBSCRIPTION = {
    "endpoint": "https://push.example.net/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "expirationTime": None,
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
        "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}

OLD_SUBSCRIPTION = {"endpoint": NEW_SUBSCRIPTION["endpoint"]}

RENEWED_SUBSCRIPTION = {
    "old": {
        "endpoint": "https://push.example.net/9fQ0eW1bq3kTzU5mYc7RhJ2vXs4LdNaB",
        "auth": "8eDyX_uCN0XRhSbY5hs7Hg",
    },
    "new": NEW_SUBSCRIPTION,
}

DECISIONS = [
    {"roomId": "123", "reason": "sent", "offset": 42, "at": "2025-03-03T09:41:17.130Z"},
    {"roomId": "456", "reason": "muted", "offset": 7, "at": "2025-03-02T16:20:00.041Z"},
]

DEAD_PUSHES = [
    {
        "at": "2025-03-03T09:45:31.402Z",
        "pushId": "01955b3c-7a45-7c21-9f8e-2d6f0b6a1c53",
        "user": "alice",
        "roomId": "123",
        "offset": 42,
        "way": "webhook",
        "service": "https://hooks.example.com",
        "reason": "gave_up",
        "last": "unavailable",
        "tries": 8,
    },
]
