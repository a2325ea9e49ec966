"""From Community to Pro in steps, each with what it needs, how it is checked and how it is taken back. Pure.

A plan, and no more: Pro is under a licence and in no public archive, so none of this has been run. Its order follows
what the vendor says of both editions: one leader and followers instead of metaloggers, followers that begin without
metadata (``mfsmaster -e``), a leader that more than half of the chunkservers agree to. Until the step "replace the
master" everything runs as before; in that step clients wait, as in a failover, and nothing is unmounted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

INTERRUPTION_S = (30, 120)
VOTERS = 3
"""Chunkservers of which one may be away while a leader is chosen."""
SAVED_WITHIN_S = 3600.0
LEAST = (4, 0, 0)
"""The first version of which Community and Pro are the same programs, but for the licence."""


@dataclass(frozen=True, slots=True)
class State:
    """The cluster, as it was seen; None and empty: it could not be seen."""

    master: str
    version: str = ""
    """Of the master."""
    chunkservers: Mapping[str, str] = field(default_factory=dict)
    """Address -> version."""
    metaloggers: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, str] = field(default_factory=dict)
    """Host and mount point -> version."""
    missing: int | None = None
    endangered: int | None = None
    undergoal: int | None = None
    saved_ago_s: float | None = None
    """Since the master saved its metadata."""
    standby: tuple[str, ...] | None = None
    """What keeps the metalogger of this host from becoming a master; empty: nothing. None: there is none here."""
    offered: str = ""
    """The version of moosefs-pro-master that this host's packages have."""
    licence: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A precondition, and whether it holds; None: it cannot be seen from here."""

    what: str
    holds: bool | None
    seen: str


Kind = Literal["look", "prepare", "interrupts", "beside"]


@dataclass(frozen=True, slots=True)
class Step:
    """One of them."""

    name: str
    where: str
    kind: Kind
    """``interrupts``: clients wait meanwhile; ``beside``: one after the other, the rest goes on."""
    needs: tuple[Need, ...]
    commands: tuple[str, ...]
    check: str
    back: str
    """How it is taken back."""


def needs(state: State) -> tuple[Need, ...]:
    """What has to hold before anything is begun."""
    if state.error:
        return (Need("the master answers", False, state.error),)
    versions = {state.version, *state.chunkservers.values(), *state.metaloggers.values()}
    numbers = {_number(one) for one in versions}
    counts = (state.missing, state.endangered, state.undergoal)
    saved = None if state.saved_ago_s is None else state.saved_ago_s <= SAVED_WITHIN_S
    return (
        Need("the master answers", True, f"{state.master}, {state.version}"),
        Need("it is Community", not any("PRO" in one for one in versions), ", ".join(sorted(versions))),
        Need("all servers have one version", len(numbers) == 1, ", ".join(sorted(versions))),
        Need("version 4", bool(numbers) and min(numbers) >= LEAST, ", ".join(sorted(versions))),
        Need(
            "every chunk has its copies",
            None if None in counts else not any(counts),
            f"{_said(state.missing)} missing, {_said(state.endangered)} endangered, {_said(state.undergoal)} undergoal",
        ),
        Need(
            f"{VOTERS} chunkservers, for a leader needs more than half of them",
            len(state.chunkservers) >= VOTERS,
            str(len(state.chunkservers)),
        ),
        Need("metadata was saved within an hour", saved, f"{_said(state.saved_ago_s)} s ago"),
        Need(
            "a metalogger here could become the master (the way back)",
            None if state.standby is None else not state.standby,
            "none is looked at here" if state.standby is None else "; ".join(state.standby) or "it could",
        ),
        Need(
            "packages of Pro", bool(state.offered), state.offered or "moosefs-pro-master is in no archive of this host"
        ),
        Need(
            "a licence (/etc/mfs/mfslicence.bin)", state.licence, "it is there" if state.licence else "it is not there"
        ),
    )


def ready(state: State) -> bool:
    """Whether the first step may be begun. What cannot be seen from here is looked at by a person."""
    return all(need.holds is not False for need in needs(state))


def plan(state: State) -> tuple[Step, ...]:
    """All steps, for this cluster. Whether one may be begun, its needs say."""
    of = {need.what: need for need in needs(state)}
    low, high = INTERRUPTION_S
    every = tuple(of.values())
    new = f"={state.offered}" if state.offered else ""
    return (
        Step(
            "save and keep the metadata",
            state.master,
            "prepare",
            tuple(need for need in every if need.what in ("the master answers", "it is Community", "version 4")),
            (
                f"mfssupervisor -H {state.master} -s",
                "cp -a /var/lib/mfs /var/lib/mfs.community",
                "mfsmetadump /var/lib/mfs.community/metadata.mfs.back > /dev/null",
            ),
            "mfsmetadump reads the copy to its end, and its version is that of `mfscli -SIM`, or a few changes behind",
            "nothing is changed: delete the copy",
        ),
        Step(
            "replace the master",
            state.master,
            "interrupts",
            every,
            (
                "systemctl stop moosefs-master",
                "cp -a /var/lib/mfs/. /var/lib/mfs.community/",
                f"apt-get install moosefs-pro-master{new}",
                "mfsmaster start",
            ),
            f"`mfscli -SIM` says LEADER, its version is not lower than before, no chunk is missing; clients wait "
            f"{low} to {high} s meanwhile, and are not unmounted",
            "stop it, install moosefs-master again, put /var/lib/mfs.community back, start it: what was written since "
            "is lost, so decide before clients have written much; or promote the metalogger (mfs-autonomy, level 5)",
        ),
        *_followers(state, new),
        *_chunkservers(state, new),
        *_clients(state, new),
        Step(
            "show that it holds",
            state.master,
            "interrupts",
            (),
            ("mfssupervisor -s A", "mfssupervisor -l FOLLOWER"),
            "the checksums of all masters are the same; another leads within seconds, and clients go on",
            "mfssupervisor -l the one that led before",
        ),
    )


def _followers(state: State, new: str) -> list[Step]:
    hosts = sorted(state.metaloggers) or ["another host than the master's"]
    return [
        Step(
            "make a follower of the metalogger" if state.metaloggers else "make a follower",
            host,
            "beside",
            (Need("the leader is Pro", None, "after `replace the master`"),),
            (
                *(("systemctl stop moosefs-metalogger",) if state.metaloggers else ()),
                f"apt-get install moosefs-pro-master{new}",
                "copy mfsmaster.cfg, mfsexports.cfg, mfstopology.cfg and mfslicence.bin of the leader to /etc/mfs",
                "mfsmaster -e start",
                f"the name {state.master} (DNS, or /etc/hosts everywhere) leads to both, not to a moving address",
            ),
            "`mfscli -SIM` says FOLLOWER, with the leader's metadata version",
            "mfsmaster stop, start the metalogger again: the leader goes on by itself",
        )
        for host in hosts
    ]


def _chunkservers(state: State, new: str) -> list[Step]:
    return [
        Step(
            "replace the chunkserver",
            host,
            "beside",
            (Need("every chunk has its copies, again before each", None, "mfscli -SIC"),),
            (
                "systemctl stop moosefs-chunkserver",
                f"apt-get install moosefs-pro-chunkserver{new}",
                "mfschunkserver start",
            ),
            "`mfscli -SCS` has it with PRO, and no chunk is endangered: only then the next one",
            "install moosefs-chunkserver again: its folders are the same",
        )
        for host in sorted(state.chunkservers)
    ]


def _clients(state: State, new: str) -> list[Step]:
    return [
        Step(
            "renew the client, when it is convenient",
            host,
            "beside",
            (
                Need(
                    "nobody uses the mount, or its guests are elsewhere",
                    None,
                    "a mount is never renewed under its users",
                ),
            ),
            ("umount the mount", f"apt-get install moosefs-pro-client{new}", "mount it again"),
            "`mfscli -SMS` has it with PRO; a client of Community may stay mounted until then",
            "install moosefs-client again, and mount",
        )
        for host in sorted(state.clients)
    ]


def _number(version: str) -> tuple[int, ...]:
    """Of "4.57.5-1 PRO" the first three."""
    return tuple(int(one) for one in version.partition(" ")[0].partition("-")[0].split(".") if one.isdigit())


def _said(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"
