"""What is wrong with this node: facts are gathered by a port, and judged by a core."""
