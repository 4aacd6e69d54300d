"""The gateway: WebSockets on one side, the bus and the store on the other. Holds no truth.

stomp       the STOMP protocol, sans-I/O
doors       a wire protocol on one side, the session on the other: stomp, sockjs, json
connection  one WebSocket: reads, writes, closes
sockjs_websocket
            one that speaks SockJS
session     one user on one connection: what may be done and has been done
fanout      events in, bytes shared by many connections out
deadlines   what must happen to a connection at a time (token expiry, time to sign in)
presence_reporter
            tells presence who is here
memberships the rooms that a user is known to be a member of
revocations memberships that ended without a word
comparing   what events said, against the store: now and then, and in doubt
origins     which pages may connect: asked before every upgrade and by every transport
addresses   where a connection comes from, as far as that can be believed
doorkeeper  how many connections, from where, how fast
inbound     how fast one connection may speak
limits      the gateway's limits, as settings give them
shared      what all connections of a process share
entrances   where the doors are, and how each is made from a request
app         a gateway as a resource of a process: its routes, heart-beats both ways
"""
