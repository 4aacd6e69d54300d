"""The bus carries commands in and events out. It is never the truth: the log is.

base       the interface, with what it promises
inprocess  one process, nothing to install
rabbitmq   many processes
line       commands that wait, and for how long: both stand on it
"""
