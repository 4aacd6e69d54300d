"""The command line, and all services in one process.

cli               the commands
processes         which services a process runs, and how it starts and stops
idle_connections  ends connections that never ask
demo              users, rooms and tokens to try it with
terminal          `allibe chat`
"""
