"""Systems under test, a folder each: how they are put on nodes, watched, used and judged. See :mod:`.subject`."""

STARTED_BY_DEFAULT = ("sfha", "etcd")
"""What ``harness up`` starts unless told otherwise."""
