"""RabbitMQ of three servers with quorum queues, behind HAProxy; and the failover that proves it."""
