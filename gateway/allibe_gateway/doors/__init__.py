"""Doors: a wire protocol on one side, the session on the other. They translate, nothing else.

base          what a connection and a door know of each other
connection    what a gateway does with every connection, over whatever it runs
stomp         STOMP at /allibe-ws
sockjs        what carries it where no WebSocket gets through
destinations  what STOMP clients may send to and subscribe to
stomp_replies what STOMP clients are told: receipts, refusals, errors
stomp_view    MESSAGE frames, shared by equal subscriptions
json          plain JSON at /ws/chat
"""
