"""PostgreSQL under Patroni, with its own etcd, behind HAProxy and PgBouncer; and the failover that proves it."""
