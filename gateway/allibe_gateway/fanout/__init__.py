"""Fan-out: events in, shared bytes out. Knows asyncio and the services, not WebSockets.

entries    a log entry, encoded once
outbox     one connection's way out, bounded
audience   subscribers grouped by what their frames look like
tail       a room's newest entries, in memory
activity   what passes by in a room, and who is here
room_feed  one room: order, holes, recovery, its audiences
bindings   what the gateway is bound to on the bus
hub        all rooms of a gateway: who listens, dispatch, one flush per loop tick
"""
