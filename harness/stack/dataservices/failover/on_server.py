"""What each server does by itself once it is told, with proof, that another one is dead; and how sfha comes to tell it.

A program of a few lines of shell on every server, which knows no more than the addresses: it begins in milliseconds,
needs neither the installer nor SSH, and may be called again. sfha calls it, or whatever else takes power away. Pure.
"""

from collections.abc import Callable, Sequence
from shlex import quote

from ..inventory.core import Inventory, Role, Server
from ..plan.core import Check, Command, Directory, File, Plan, Stage
from ..plan.needs import present
from ..plan.refusal import DEAD_SERVER, allowed, refuses

LED = (Role.POSTGRESQL, Role.RABBITMQ)
"""Those whose others wait for a server that is silent. To RabbitMQ nothing is told: that its connections to the dead
server end is all that it waits for. Galera and Redis give a silent server up within a second by themselves."""
Told = Callable[[Server], tuple[Command, ...]]
"""What the PostgreSQL of a survivor is told of a dead one."""

_FENCES = "sfha stonith status --json | grep -q '\"enabled\": true'"
_HOW = "install sfha there (docs/sfha.md), then: sfha stonith setup"
_KNOWS = """import json, sys
said, (program, *names) = json.load(sys.stdin), sys.argv[1:]
missing = sorted({*names} - {one["name"] for one in said["nodes"] if one["configured"]})
if missing:
    sys.exit("sfha cannot fence " + ", ".join(missing) + ": stonith.nodes has to have the names of servers.tsv")
if said["notify"] not in (None, program):
    sys.exit("sfha tells " + said["notify"] + " already: have that call " + program)
"""
_BRANCH = """\
'fenced {name}')
    failed=
    {fenced}
    [ -z "$failed" ] || fail "{name}: $failed"
    echo '{name} refuses{led}' ;;
'returned {name}')
    ( {is_reached} ) >/dev/null 2>&1 || ( {reached} ) || fail '{name}: is not reached yet'
    echo '{name} is reached as ever' ;;
"""
_PROGRAM = """\
#!/bin/sh
# Written by keyservices: what this server does about another one that is proven to have no power (fenced NAME) or is
# back (returned NAME). Both may be called again.
fail() {{ printf '%s\\n' "$1" >&2; exit 1; }}
case "$1 $2" in
{branches}'fenced '?* | 'returned '?*) echo "nothing here waits for $2" ;;
*) echo "usage: $0 fenced|returned NAME" >&2; exit 2 ;;
esac
"""


def who_waits(dead: Server, inventory: Inventory) -> list[Server]:
    """Those that would wait for this server if it were dead: of its own services, and balancers."""
    concerned = inventory.of(*(role for role in LED if role in dead.roles), Role.HAPROXY)
    return [one for one in concerned if one != dead]


def program_of(server: Server, inventory: Inventory, told: Told) -> str:
    """The program of one server: a shell script."""
    branches = "".join(_branch(server, dead, told) for dead in _waited_for(server, inventory))
    return _PROGRAM.format(branches=branches)


def follows_fencing(inventory: Inventory, told: Told) -> Plan:
    """Every server that would wait for another one has the program, and its sfha, which has to fence, tells it."""
    servers = [one for one in inventory.servers if _waited_for(one, inventory)]
    programs = {
        one.name: (
            Directory(DEAD_SERVER.rpartition("/")[0]),
            File(DEAD_SERVER, program_of(one, inventory, told), 0o755),
        )
        for one in servers
    }
    return Plan(
        "follow-fencing",
        (
            Stage("sfha can fence them", {one.name: (_knows(_waited_for(one, inventory)),) for one in servers}),
            Stage("program", programs),
            Stage("sfha tells it", {one.name: (_told_by_sfha(),) for one in servers}),
        ),
        needs=(present("sfha that fences", _FENCES, servers, _HOW),),
    )


def _waited_for(server: Server, inventory: Inventory) -> list[Server]:
    return [dead for dead in inventory.of(*LED) if server in who_waits(dead, inventory)]


def _branch(server: Server, dead: Server, told: Told) -> str:
    both_led = Role.POSTGRESQL in server.roles & dead.roles
    leads_no_more = told(dead) if both_led else ()
    # What refuses is quicker, and no more than that: the rest is done without it as well.
    steps = [(refuses(dead.address).command, "does not refuse"), *((one.command, one.about) for one in leads_no_more)]
    back = allowed(dead.address)
    return _BRANCH.format(
        name=dead.name,
        fenced="\n    ".join(f"( {command} ) || failed={quote(f'not so: {about}')}" for command, about in steps),
        led=", and leads no more" if both_led else "",
        is_reached=back.done_when,
        reached=back.command,
    )


def _knows(dead: Sequence[Server]) -> Check:
    names = " ".join(one.name for one in dead)
    ask = f"sfha stonith status --json | python3 -c {quote(_KNOWS)} {DEAD_SERVER} {names}"
    return Check(ask, 5, about=f"sfha can fence {names}, and tells no other program")


def _told_by_sfha() -> Command:
    # By what its daemon says: a file that it has not taken up yet tells nobody anything.
    told = f'sfha stonith status --json | grep -qF \'"notify": "{DEAD_SERVER}"\''
    return Command(f"sfha stonith notify {DEAD_SERVER} && sfha reload", told)
