"""Who begins, and who joins, as stages that depend on what the servers say. Pure.

Asked first is whether the cluster runs anywhere: then everybody else joins it. If not, all stand still, each says what
it has, and the core decides who begins, or that nobody may. Nodes join one after the other, so that there always is one
to copy from that is not copied from already.
"""

import json
from collections.abc import Mapping, Sequence

from ..inventory.core import Server
from ..plan.core import Action, Ask, Command, Decided, Stage, Undecided
from .core import NO_UUID, UNKNOWN_SEQNO, Begin, Join, Nobody, State, decide
from .places import DATA, STATE, UNIT, in_primary, in_step

Answers = Mapping[str, tuple[str, ...] | None]
ON_ITS_WAY_S = 20
"""Nodes that lost their power together find each other again by themselves, if all come back; so long they may."""
FRESH = f"{DATA}/keyservices-fresh"
_JOINS_WITHIN_S = 300


def founding(servers: Sequence[Server], accounts: Action) -> Stage:
    """The cluster runs on all servers by the end of it; ``accounts`` is done on the first one that runs."""

    def who_runs(answers: Answers) -> Decided:
        states = {name: _running(lines) for name, lines in answers.items()}
        if any(state is not None and state.in_primary for state in states.values()) or None in states.values():
            return _follows(decide(states), servers, accounts)
        still = Stage("all stand still", {one.name: (_stands_still(),) for one in servers})
        asks = {one.name: (Ask(f"python3 {STATE} has {DATA}"),) for one in servers}
        return Decided("it runs nowhere", (still, Stage("what each has", asks, who_begins)))

    def who_begins(answers: Answers) -> Decided:
        return _follows(decide({name: _resting(lines) for name, lines in answers.items()}), servers, accounts)

    return Stage("galera", {one.name: (Ask(f"python3 {STATE} runs {ON_ITS_WAY_S}"),) for one in servers}, who_runs)


def _said(lines: tuple[str, ...] | None) -> Mapping[str, object] | None:
    """What a server said; None if it gave no answer, or none that is one."""
    try:
        said = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _running(lines: tuple[str, ...] | None) -> State | None:
    said = _said(lines)
    if said is None:
        return None
    if said["in_primary"] is True:
        return State(str(said["uuid"]), UNKNOWN_SEQNO, in_primary=True)
    return State(NO_UUID, UNKNOWN_SEQNO, has_data=False)


def _resting(lines: tuple[str, ...] | None) -> State | None:
    said = _said(lines)
    if said is None or not isinstance(seqno := said["seqno"], int):
        return None
    return State(str(said["uuid"]), seqno, said["safe_to_bootstrap"] is True, has_data=said["has_data"] is not False)


def _follows(decided: Join | Begin | Nobody, servers: Sequence[Server], accounts: Action) -> Decided:
    begins: tuple[Stage, ...] = ()
    match decided:
        case Nobody(why):
            raise Undecided(f"nobody may begin: {why}")
        case Join(who_runs):
            first, why = who_runs[0], f"it runs on {', '.join(who_runs)}"
            others = [one for one in servers if one.name not in who_runs]
        case Begin(first, reason):
            why, begins = f"{first} begins: {reason}", (Stage(f"{first} begins", {first: _begins()}),)
            others = [one for one in servers if one.name != first]
    told = Stage("accounts", {first: (accounts, Command(f"rm -f {FRESH}", f"! test -e {FRESH}"))})
    return Decided(why, (*begins, told, *(Stage(f"{one.name} joins", {one.name: (_joins(),)}) for one in others)))


def _stands_still() -> Command:
    # Who waits for the others does not end when it is asked to, and has nothing open that could be lost.
    stop = f"timeout 10 systemctl stop {UNIT} || systemctl kill --signal=KILL --kill-whom=all {UNIT}"
    return Command(f"{stop}; systemctl stop {UNIT}", "! pgrep -x mariadbd")


def _begins() -> tuple[Action, ...]:
    fresh = f"{DATA}.fresh"
    made = (
        f"rm -rf {fresh} {DATA}.empty && mariadb-install-db --user=mysql --datadir={fresh} "
        "--auth-root-authentication-method=socket --skip-test-db --skip-name-resolve --force >/dev/null && "
        f"touch {fresh}/{FRESH.rpartition('/')[2]} && chown -R mysql:mysql {fresh} && chmod 700 {fresh} && sync && "
        f"mv {DATA} {DATA}.empty && mv {fresh} {DATA}"
    )
    # Galera itself refuses who is not marked so; who may begin was decided by what all have, not by that mark.
    noted = f"{DATA}/grastate.dat"
    mark = f"if test -e {noted}; then sed -i 's/^safe_to_bootstrap: .*/safe_to_bootstrap: 1/' {noted}; fi"
    return (
        Command(made, f"test -d {DATA}/mysql", about=f"make a data folder {DATA} where there is none"),
        Command(f"{mark}; systemctl daemon-reload; galera_new_cluster", in_primary(), about="begin a cluster"),
    )


def _joins() -> Command:
    wait = f"for _ in $(seq {_JOINS_WITHIN_S * 2}); do {in_step()} && break; sleep 0.5; done"
    return Command(f"systemctl daemon-reload; systemctl start {UNIT}; {wait}", in_step(), about="join the cluster")
