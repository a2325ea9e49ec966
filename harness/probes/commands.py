"""What the observer process can be told to do, and how that travels as JSON lines."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.events import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchNode:
    """Watch addresses (netlink) and gate (nftables, if it has one) of the node with this process 1, until that dies.

    A second watch of the same node replaces the first (as every kind of watch does).
    """

    node: str
    pid: int
    addresses: tuple[str, ...]
    table: str = ""
    lease_set: str = "lease"
    guarded_set: str = "guarded"
    own_kernel: bool = False
    """The process is the node's kernel: what is in it, only the node can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwatchNode:
    """Let go of a node's namespace at once."""

    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchWire:
    """Watch who speaks for the addresses at a client's interface; ``nodes`` maps MACs to node names.

    With ``ask_every_s`` an ARP probe asks for each address that often, without touching any ARP cache.
    """

    client: str
    namespace: str
    interface: str
    addresses: tuple[str, ...]
    nodes: dict[str, str]
    ask_every_s: float = 0.0
    only_known: bool = False
    """Pass over who is not among the nodes: somebody else's to note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwatchWire:
    """Stop watching at a client."""

    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConnects:
    """Connect to an address from a client every ``interval_s``.

    ``timeout_s`` must stay below 1 s, when the kernel would send its SYN again.
    """

    client: str
    namespace: str
    address: str
    port: int
    interval_s: float = 0.010
    timeout_s: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class StopConnects:
    """Stop connecting to an address from a client."""

    client: str
    address: str
    port: int


Command = WatchNode | UnwatchNode | WatchWire | UnwatchWire | StartConnects | StopConnects
_KINDS: dict[str, type[Command]] = {
    cls.__name__: cls for cls in (WatchNode, UnwatchNode, WatchWire, UnwatchWire, StartConnects, StopConnects)
}


def as_request(command: Command) -> dict[str, object]:
    """A command as the request that :func:`decode` understands."""
    return {"do": type(command).__name__, **dataclasses.asdict(command)}


def decode(line: bytes) -> tuple[int, Command]:
    """Number and command of a line; HarnessError when it is none."""
    try:
        fields: dict[str, Any] = json.loads(line)
        cls = _KINDS[fields.pop("do")]
        number = int(fields.pop("number"))
        arguments: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        return number, cls(**arguments)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HarnessError(f"not a command of the observer: {line[:200]!r} ({error})") from error


def answer(number: int, error: str = "", result: Json = None) -> bytes:
    """The line by which a process answers a request (see harness.probes.line_process)."""
    return json.dumps({"done": number, "error": error, "result": result}).encode() + b"\n"
