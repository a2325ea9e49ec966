"""MariaDB Galera behind HAProxy: who may begin the cluster, and the failover that proves it."""
