"""The page docs/faults.md: ``python -m harness.faults.page docs/faults-shown.json > docs/faults.md``.

From what the faults declare, and from what their contract wrote down when it ran (HARNESS_SHOWN names the file).
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.addresses import AddressPlan
from harness.faults.catalogue import catalogue
from harness.faults.declaration import FAMILIES, Aim, Choice, Declaration, Parameter, Quantity
from harness.subjects.found import subject_called, subject_names
from harness.topology import Node, Site, Topology, Vip

_HEAD = """\
# Faults

Made by `python -m harness.faults.page docs/faults-shown.json` from what the faults themselves declare, and from what
their contract has shown; a test keeps it true.

Each fault is one file in `harness/faults/FAMILY/`. In a scenario: `async with cluster.under(Freeze(holder_of(vip))):`.
On a cluster that is up: `harness fault --for 10 freeze leader`; `harness fault FAULT --help` tells the same as here.

What undoes a fault is written down before anything is done. Whoever injects it may be killed: then the keeper of the
cluster heals it, within a second or two. A fault is *effective* only once that has been seen from outside the nodes,
and *healed* only once nothing of it can be seen any more. A fault that shows no effect makes the run inconclusive. What
the engine or the host cannot do is refused, with the reason, before anything begins. All of this is a contract that
runs for every fault there is ([tests/contracts/fault.py](../tests/contracts/fault.py)).

NODE is a node, several joined by commas, `all`, `any` (drawn with the run's seed), `leader` (who holds the first
virtual address), `holder:VIP`, `follower:VIP` or `site:SITE`. SITE is a site, or the sites of a NODE.

## A fault of your own

You need a class in a module of your own package, and an entry point that names it. The signature of the class's
constructor is the declaration of the fault: whom it is aimed at, and how much of it there may be, in which unit and
within which limits. The command line and the contract follow from that.

```python
from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import Declared, judged, whom
from harness.healing import HealAction, RunInNode


@fault(family="network", example="n2 --longest 600", proof="the nodes' kernels say so of their interfaces")
class SmallMtu(Declared):
    \"\"\"The interfaces of nodes take short packets only.\"\"\"

    def __init__(
        self, nodes: Nodes, longest: Annotated[int, Quantity("bytes", 68, 1499, "the longest packet")] = 600
    ) -> None:
        self.whom, self.longest = whom(nodes), longest

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        self.targets = self.whom(cluster)
        return tuple(RunInNode(node, ("ip", "link", "set", "eth0", "mtu", "1500")) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        for node in self.targets:
            await cluster.engine.exec(node, ("ip", "link", "set", "eth0", "mtu", str(self.longest)))

    async def see(self, cluster: Cluster) -> Seen:
        done = [await cluster.engine.exec(node, ("cat", "/sys/class/net/eth0/mtu")) for node in self.targets]
        found = [int(one.stdout) for one in done]
        return judged(found.count(self.longest), len(found), f"MTU of {', '.join(self.targets)}: {found}")
```

```toml
[project.entry-points."harness.faults"]
small-mtu = "my_faults:SmallMtu"
```

- `aim` decides whom to hit, and returns what undoes it: actions of `harness/healing`. Among them are commands in a node
  or in the fabric, for which nothing of yours has to be there any more.
- `inject` does it. A command in a node that fails raises nothing: look at its `exit_code`, and raise `EngineError` with
  what it said.
- `see` looks once and says how much of the effect there is: all, some or nothing. The same look proves that the fault
  bites and that it is gone.
- `end` stops what goes on by itself, such as a task of yours. A thread of such a task has to be done then
  (`harness.wait.finished`), or it acts once more after the heal.
- `lacks` says what the engine or the host would need to have.

To build on:

- `OnNodes` (`harness/faults/declared.py`) is aimed at nodes; its `_powered` refuses those without power. `OnDaemon`
  (`harness/faults/daemons.py`) is aimed at a daemon on nodes.
- `Cutting` and `CutOff` (`harness/faults/cutting.py`) are cuts in the network, of some packets if not all.
- `inside_of` (`harness/faults/kernels.py`) reads and changes files of a node, and tells of its processes, whichever
  kernel it has. For what needs the host's kernel, or one of the node's own, `lacks` returns `without_hosts_kernel` or
  `without_own_kernel`.
- `cluster.fabric.canary` sends a real packet, UDP or TCP, and says whether it arrived. It does not pass the sender's
  rules on `output`, which come before the interface, but those on `egress`.

"""


Shown = Mapping[str, Mapping[str, list[str]]]
"""Of each fault, on each engine, what was shown."""
ENGINES = ("local", "docker", "lxd", "lxd-unprivileged", "uml")
_ANY = Topology(
    name="any", sites=(Site(name="here"),), nodes=(Node(name="n1", site="here", id=1),), vips=(Vip(name="web"),)
)
WHOLE = frozenset({"bites", "healed by the keeper"})


def page(shown: Shown) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_matrix(shown), *_rows(), *_of_operators(), ""])


def _matrix(shown: Shown) -> Iterator[str]:
    yield "## What was shown where\n"
    yield "Bites, is healed, does no harm when healed again, and is healed after `kill -9` of whoever injected it:\n"
    yield f"| fault | {' | '.join(ENGINES)} |"
    yield f"| --- |{' --- |' * len(ENGINES)}"
    for name in catalogue():
        cells = (_shown(shown.get(name, {}).get(engine, [])) for engine in ENGINES)
        yield f"| `{name}` | {' | '.join(cells)} |"
    yield ""


def _shown(what: list[str]) -> str:
    if WHOLE.issubset(what):
        return "shown"
    return "; ".join(what) or "not run"


def _rows() -> Iterator[str]:
    found = catalogue().values()
    yield f"## The {len(found)} faults of this version"
    for family in FAMILIES:
        of_family = [one for one in found if one.family == family]
        if not of_family:
            continue
        yield f"\n### {family.capitalize()}"
        for one in of_family:
            yield from _about(one)


def _of_operators() -> Iterator[str]:
    """What each subject lets an operator do; of several that let him do the same, the first."""
    yield "\n## What an operator may do\n"
    yield "With `harness fault operate NODE ACTION`, also in a plan: what the systems declare that ship.\n"
    yield "| system | action | |\n| --- | --- | --- |"
    told = set()
    plan = AddressPlan(_ANY, "page")
    for name in subject_names():
        for action in subject_called(name).operator_actions(_ANY.node_names[0], _ANY, plan):
            if action not in told:
                told.add(action)
                yield f"| {name} | `{action.name}` | {action.about} |"


def _about(one: Declaration) -> Iterator[str]:
    yield f"\n#### `{one.name}`\n"
    yield one.about
    aims = " ".join(f"{_aim(aim).word}{'...' if aim.variadic else ''}" for aim in one.aims)
    options = " ".join(f"{option.option} {_kind(option)}" for option in one.options if option.required)
    yield f"\n    harness fault {' '.join(filter(None, (one.name, aims, options)))}"
    if one.example:
        yield f"    harness fault {one.name} {one.example}"
    yield f"\nProof: {one.proof}."
    if one.options:
        yield "\n| option | | allowed | default |\n| --- | --- | --- | --- |"
        for option in one.options:
            default = "must be given" if option.required else f"{option.default}"
            yield f"| `{option.option}` | {option.says.help} | {_allowed(option)} | {default} |"


def _aim(one: Parameter) -> Aim:
    assert isinstance(one.says, Aim)
    return one.says


def _kind(one: Parameter) -> str:
    return "|".join(one.says.words) if isinstance(one.says, Choice) else "NUMBER"


def _allowed(one: Parameter) -> str:
    match one.says:
        case Quantity(unit=unit, at_least=at_least, at_most=at_most):
            return f"{at_least:g} to {at_most:g} {unit}".rstrip()
        case Choice(words=words):
            return ", ".join(words)
        case _:
            return ""


if __name__ == "__main__":
    sys.stdout.write(page(json.loads(Path(sys.argv[1]).read_text())))
