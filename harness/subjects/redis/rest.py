"""Whether a Redis is at rest, by what it says of itself (INFO). Pure."""

_AT_REST = {b"loading:0", b"aof_rewrite_in_progress:0", b"aof_rewrite_scheduled:0", b"aof_pending_rewrite:0"}


def is_at_rest(info: bytes) -> bool:
    """Whether it has its master's data, and writes no file anew.

    A replica that has just taken its master's data writes a new append-only file, and says "can't exit" to a SIGTERM of
    that moment; the signal is lost.
    """
    said = set(info.split())
    return said >= _AT_REST and (b"role:master" in said or b"master_link_status:up" in said)
