"""The page docs/faults.md: ``python -m harness.faults.page docs/faults-shown.json > docs/faults.md``.

From what the faults declare, and from what their contract wrote down when it ran (HARNESS_SHOWN names the file).
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.faults.catalogue import catalogue
from harness.faults.declaration import FAMILIES, Aim, Choice, Declaration, Parameter, Quantity

_HEAD = """\
# Faults

Made by `python -m harness.faults.page docs/faults-shown.json` from what the faults themselves declare, and from what
their contract has shown; a test keeps it true.

Each fault is one file in `harness/faults/FAMILY/`. In a scenario: `async with cluster.under(Freeze(holder_of(vip))):`.
On a cluster that is up: `harness fault --for 10 freeze leader`; `harness fault FAULT --help` tells the same as here.

What undoes a fault is written down before anything is done. Whoever injects it may be killed: the keeper of the
cluster then heals it, within a second or two. A fault is *effective* only when that has been seen from outside of the
nodes, and *healed* only when nothing of it is to be seen any more; one that shows no effect makes the run inconclusive.
What engine or host cannot do is refused, with the reason, before anything begins. All of this is a contract that runs
for every fault there is ([tests/contracts/fault.py](../tests/contracts/fault.py)).

NODE is a node, several joined by commas, `all`, `any` (drawn with the run's seed), `leader` (who holds the first
virtual address), `holder:VIP`, `follower:VIP` or `site:SITE`. SITE is a site, or the sites of a NODE.

## A fault of your own

A class in a module of your own package, and an entry point that names it. Its constructor's signature is its
declaration: whom it is aimed at, how much of it there may be, in which unit, within which limits. Command line, this
page (of your own) and the contract follow from it.

```python
@fault(family="process", example="n2 redis-server", proof="the process that was killed is gone from the host")
class KillDaemon(OnDaemon):
    \"\"\"One daemon of the nodes is killed (SIGKILL).\"\"\"

    def __init__(self, nodes: Nodes, daemon: Daemon) -> None:
        self._whom, self._daemon = whom(nodes), daemon

    async def inject(self, cluster: Cluster) -> None:
        for one in self._processes:
            os.kill(one.pid, signal.SIGKILL)

    async def see(self, cluster: Cluster) -> Seen:
        return self._dead_or_back(cluster, "SIGKILL")
```

```toml
[project.entry-points."harness.faults"]
kill-daemon = "my_package.my_faults:KillDaemon"
```

`aim` gives what undoes it: actions of `harness/healing.py`, among them a command in a node or in the fabric, for which
nothing of yours has to be there any more. `see` looks once from outside and says how much of the effect there is: all,
some or nothing; the same look proves that it bites and that it is gone.
"""


Shown = Mapping[str, Mapping[str, list[str]]]
"""Of each fault, on each engine, what was shown."""
ENGINES = ("local", "docker", "lxd", "lxd-unprivileged")
WHOLE = frozenset({"bites", "healed by the keeper"})


def page(shown: Shown) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_matrix(shown), *_rows(), ""])


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
