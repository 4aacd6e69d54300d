"""SockJS: STOMP for those whose network lets no WebSocket through.

wire          frames, as bytes; no input or output
encodings     what frames are wrapped in, for each way to receive over HTTP
answer        the answer to a request that receives
connection    one session over HTTP requests, as the STOMP door's connection
connections   all of them, by session id
websocket     the door of a session over a WebSocket
pages         greeting, info and the iframe's page
transports    the HTTP handlers

What clients expect is in sockjs-protocol 0.3.3 (https://github.com/sockjs/sockjs-protocol), what
sockjs-client 1.6 does, and what Spring's `withSockJS()` offers.
"""
