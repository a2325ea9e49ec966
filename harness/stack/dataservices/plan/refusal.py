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
    """Whatever is sent there by TCP ends at once, and so does every connection that is open.

    By TCP alone: a mesh that goes to the same address, such as sfha's, is what the server is found by when it is back.
    """
    # ss says that it cannot where nothing is connected; the rule alone decides.
    ended = f"ss -K dst {address} >/dev/null 2>&1; true"
    added = f"{_ip(address)} rule add {_RULE.format(address)}"
    return Command(f"{{ {_is_refused(address)} || {added}; }} && {{ {ended}; }}", _is_refused(address))


def allowed(address: str) -> Command:
    """It is reached as ever."""
    return Command(f"{_ip(address)} rule del {_RULE.format(address)}", f"! {{ {_is_refused(address)}; }}")


# By number: a small system knows no names of protocols, neither to read nor to write.
_RULE = "priority 60 to {} ipproto 6 unreachable"


def _ip(address: str) -> str:
    return "ip -6" if ":" in address else "ip -4"


def _is_refused(address: str) -> str:
    to = address.replace(".", r"\.")
    return f"{_ip(address)} rule show | grep -qE ' to {to} ipproto (tcp|6) unreachable'"
