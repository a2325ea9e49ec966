"""Benchmarks: each states its method, and measures a peer in the same run where there is one."""
