"""The fan-out worker: commands in, the log written, events out.

consumer   one shard: take what waits, store it, publish it, ack it
sequencer  commands become log entries, through whatever the database does meanwhile
notifier   who hears of a message besides those who look at the room
retrying   try again in place, and say so to readiness
shards     which shards this worker consumes
app        a worker as one resource of a process
"""
