"""The owner's requirements (`seed/chat-requirements.ko.md`), example by example.

Frames, paths and JSON stand here as they stand there. The server knows no users: tokens are made
as a login service would make them.
"""
