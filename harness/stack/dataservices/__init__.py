"""Data services (`keyservices`): PostgreSQL, Redis, RabbitMQ, Galera and more, highly available, module by module.

An installer that calls a module complete only once its failover was executed and judged. Cores decide: what there is
(inventory), what is to be done where (plans, as data), what may be wiped. Ports carry it out.
"""

VERSION = "0.1.0"
