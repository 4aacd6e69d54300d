"""`allibe chat`: a room in the terminal, over STOMP. A stock client: it knows the protocol only.

wiring       `run`: the parts put together for this machine's stdin and stdout
chat         the conversation: connect, subscribe, come back; who is told what
sender       from the outbox to the connection
transcript   the room's log on the screen
frames       what it sends over STOMP
link         one STOMP connection
api          the server's HTTP side: history, members, demo tokens
tokens       where the token comes from
endings      how things end: for now, or for good
outbox       what was typed and is not known to be stored
place        how far the room was shown
backoff      how long to wait before the next try
text         others' text made harmless; widths and wrapping
view         messages and notices as lines
line_editor  bytes from a keyboard or a pipe to lines
keyboard     stdin: its thread, its mode
screen       stdout: lines above the one that is being typed
"""

from allibe_standalone.terminal.wiring import run

__all__ = ["run"]
