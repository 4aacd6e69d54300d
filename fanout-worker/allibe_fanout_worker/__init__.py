"""The fan-out worker: commands in, the log written, events out.

consumer   one shard: take what waits, store it, publish it, ack it
sequencer  commands become log entries, through whatever the database does meanwhile
notifier   who hears of a message besides those who look at the room
retrying   try again in place, and say so to readiness
shards     which shards each worker consumes
sharing    this worker's share, as workers join and leave
consuming  the shards that are consumed now: begun, and ended gently
push       notifications to where there is no connection of ours
app        a worker as one resource of a process
"""
