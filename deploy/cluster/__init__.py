"""A cluster on one machine: what runs on many machines, on loopback, in one command.

__main__   `make cluster`
parts      what it consists of, in which order it starts and stops
service    one of Allibe's own processes
keeper     starts again what has ended
servers    private RabbitMQ, PostgreSQL, Redis, HAProxy, nginx and Prometheus
"""
