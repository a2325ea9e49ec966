"""How a dead server's address is made to refuse at once, so that nobody waits for it; and how that is undone."""

from .core import Command

DEAD_SERVER = "/usr/local/lib/keyservices/dead-server"
"""The program that does it on a server that is told so (see failover/on_server.py)."""


def told_no_more() -> Command:
    """sfha, where it is, does not call that program any more; another one's is left alone."""
    told = f"sfha stonith notify --json 2>/dev/null | grep -qF '\"{DEAD_SERVER}\"'"
    # A daemon that does not run tells nobody anything.
    return Command("sfha stonith notify --none && { sfha reload || true; }", f"! {{ {told}; }}")


def refuses(address: str) -> Command:
    """Whatever is sent there ends at once, and so does every connection that is open."""
    # ss says that it cannot where nothing is connected; the route alone decides.
    ended = f"ss -K dst {address} >/dev/null 2>&1; true"
    return Command(f"ip route replace unreachable {address} && {{ {ended}; }}", _is_refused(address))


def allowed(address: str) -> Command:
    """It is reached as ever."""
    return Command(f"ip route del unreachable {address}", f"! {{ {_is_refused(address)}; }}")


def _is_refused(address: str) -> str:
    return f"ip route show type unreachable {address} | grep -q ."
