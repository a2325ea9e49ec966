"""NATS JetStream: streams that are replicated by Raft, one server a node."""
