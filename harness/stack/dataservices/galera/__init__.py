"""MariaDB Galera: who may begin the cluster again."""
