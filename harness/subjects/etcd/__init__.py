"""etcd, a replicated store."""
