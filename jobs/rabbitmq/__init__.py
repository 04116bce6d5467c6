"""RabbitMQ through pika: a relay thread that publishes, a consumer thread that hears.

Queues are durable and named <prefix>.<queue>; what is not a message of ours goes to <prefix>.dead.
A message carries only the id of a job. Losing or doubling one does no harm (see jobs/broker.py), so
neither thread ever makes anybody wait for the broker. Nothing else in the project knows pika.
"""

from jobs.rabbitmq.broker import RabbitMQBroker

__all__ = ["RabbitMQBroker"]
