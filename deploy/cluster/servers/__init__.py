"""Private servers: Debian's RabbitMQ, PostgreSQL, Redis, HAProxy, nginx, Prometheus.

Each has a folder, a log, free ports of loopback and a generated password of its own; nothing of
the system's is touched, and nothing outlives the process that started it. The local cluster, the
benchmark and the tests stand on it. `scripts/servers.sh` installs the programs.

    base            start, stop, kill, freeze, thaw, restart: what all of them do
    rabbitmq        one node; rabbitmq_cluster: several that are one; epmd: how they find each other
    postgresql      redis      prometheus
    haproxy         nginx: each a load_balancer
    processes       all processes of a server, found in /proc
    guard           ends them when the process that started them is gone
    ports           ports that no other run takes
    private_files   passwords, and configurations that hold one
    together        several servers at a time
    programs        where the programs are, and what to do when they are not
"""

from deploy.cluster.servers.base import PrivateServer, ServerFailed
from deploy.cluster.servers.haproxy import HAProxy
from deploy.cluster.servers.nginx import Nginx
from deploy.cluster.servers.ports import reserve_port
from deploy.cluster.servers.postgresql import PostgreSQL
from deploy.cluster.servers.programs import ProgramMissing
from deploy.cluster.servers.prometheus import Prometheus
from deploy.cluster.servers.rabbitmq import RabbitMQ
from deploy.cluster.servers.rabbitmq_cluster import RabbitMQCluster
from deploy.cluster.servers.redis import Redis
from deploy.cluster.servers.together import close_all, start_all

__all__ = [
    "HAProxy",
    "Nginx",
    "PostgreSQL",
    "PrivateServer",
    "ProgramMissing",
    "Prometheus",
    "RabbitMQ",
    "RabbitMQCluster",
    "Redis",
    "ServerFailed",
    "close_all",
    "reserve_port",
    "start_all",
]
