"""The command line, and all services in one process.

start             the entry point: what must be set before all the rest is imported
cli               the commands
processes         which services a process runs, and how it starts and stops
idle_connections  ends connections that never ask
unread_answers    ends connections that ask, and do not read what they are answered
sweeping          how often both look
demo              users, rooms and tokens to try it with
terminal          `allibe chat`
"""
