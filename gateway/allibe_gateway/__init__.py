"""The gateway: WebSockets on one side, the bus and the store on the other. Holds no truth.

stomp       the STOMP protocol, sans-I/O
doors       a wire protocol on one side, the session on the other: stomp, sockjs, json
connection  one WebSocket: reads, writes, closes
takeover    from aiohttp's handshake to a connection
websocket_input
            what a client sends: bytes in, whole messages out
deflate     messages compressed once for all who get them
sockets     what the kernel is asked to do for a connection
sockjs_websocket
            one that speaks SockJS
session     one user on one connection: what may be done and has been done
subscriptions
            what one connection subscribes to
fanout      events in, bytes shared by many connections out
deadlines   what must happen to a connection at a time (token expiry, time to sign in)
presence_reporter
            tells presence who is here
screens     who has a room on the screen, for those who want to know
memberships the rooms that a user is known to be a member of
revocations memberships that ended without a word
comparing   what events said, against the store: now and then, and in doubt
origins     which pages may connect: asked before every upgrade and by every transport
addresses   where a connection comes from, as far as that can be believed
doorkeeper  how many connections, from where, how fast
inbound     how fast one connection may speak
slow_consumers
            the bound of what all clients together have not read
draining    when each connection of a gateway that stops is to leave
limits      the gateway's limits, as settings give them
shared      what all connections of a process share
entrances   where the doors are, and how each is made from a request
app         a gateway as a resource of a process: its routes, heart-beats both ways
"""
