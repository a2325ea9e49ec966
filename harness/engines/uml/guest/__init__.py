"""What runs in a node with a kernel of its own, before and beside everything else: copied there as it is.

The kernel starts ``boot.py``, which makes a node of the machine, leaves ``agent.py`` behind and becomes the node's
process 1. Standard modules only, and only those that load quickly, since every boot waits for them: pathlib, json,
typing, contextlib and the like are not among them.
"""
