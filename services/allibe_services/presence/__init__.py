"""Presence: who is connected and which rooms are on their screens, now. Not membership.

base       the interface, with what it promises
inprocess  one process, nothing to install
redis      leases in Redis, for any number of processes
"""
