"""How a dead server's address is made to refuse at once, so that nobody waits for it; and how that is undone."""

from .core import Command


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
