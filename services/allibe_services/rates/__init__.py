"""Limits of how much and how often: decided here and now, shared between processes soon after.

rate       so many a second, so many at once
policy     all limits, as the settings give them, and which of them only count
buckets    what each key has spent of a rate
holdings   how many of something each key holds
limiter    decides, counts, refuses; nothing in it waits
exchange   tells other processes, and learns from them, a few times a second
base       the interface of where they meet, with what it promises
inprocess  one process, nothing to install
redis      in Redis
"""
