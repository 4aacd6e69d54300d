"""Worker membership: which fan-out workers live now, so that they can share the shards.

base       the interface, with what it promises
inprocess  one process, nothing to install
redis      leases in Redis
"""
