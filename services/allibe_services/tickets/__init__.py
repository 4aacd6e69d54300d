"""Single-use tickets, for clients that can set no header: a name in the address, good for once.

base       the interface, with what it promises
inprocess  one process, nothing to install
redis      tickets in Redis, for any number of processes
"""
