"""Data only: what the services say to one another and to clients, without behaviour or I/O.

ids          what a room, user and message id may look like; log positions
messages     the stored message, as history, bus and clients see it
commands     what a gateway asks of the log (bus, inward)
events       what became of it, and what passes by (bus, outward)
rooms        rooms and members as the HTTP side shows them
routing      shards and routing keys
identity     who a token speaks for
revocations  tokens that are refused before their time
errors       every refusal and failure, with its code and whether to retry
disconnects  every forced close of a connection, with its code and what the client should do
"""
