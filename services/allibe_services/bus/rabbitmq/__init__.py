"""The bus over RabbitMQ, for many processes.

bus          what it consists of: `RabbitMqBus`
topology     exchanges and queues, and the numbers that are fixed for a deployment
codec        what AMQP messages hold
calls        calls on AMQP, each with an end and one kind of error
supervision  work that does not end by itself
connection   a connection that is kept up; transport: one that can be dropped at once
publishing   a channel with confirms
lanes        commands out: one publish in flight per shard
deliveries   commands in: one consumer per shard; intake: messages become deliveries
dead_letters what nobody can process; letters: what one is; inspection: what people do with them
events       events out
listening    events in: a queue per handler; bindings: the keys that it is bound to
"""

from allibe_services.bus.rabbitmq.bus import RabbitMqBus
from allibe_services.bus.rabbitmq.inspection import hold_dead_letters
from allibe_services.bus.rabbitmq.topology import DifferentDeployment, Topology

__all__ = ["DifferentDeployment", "RabbitMqBus", "Topology", "hold_dead_letters"]
