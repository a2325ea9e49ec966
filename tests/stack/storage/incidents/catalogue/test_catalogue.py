"""Every incident has a state of the host that shows it, and none is seen in a state that is well."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.storage.autonomy.core import Act
from harness.stack.storage.incidents.catalogue import BY_NAME, EVERY
from harness.stack.storage.incidents.core.facts import (
    NO_ANSWER,
    Facts,
    Held,
    Master,
    Metalogger,
    Server,
    Unended,
    Volume,
)
from harness.stack.storage.mapping.record import Record, Stage
from harness.stack.storage.pool.core import Claim, IndexFacts, IndexView

A, SIZE = "/srv/a", 1 << 20
RECORD = Record(A, A, 3, Stage.MAPPED, "nbd-client", "boot")
SERVED = IndexView(3, IndexFacts(server_pid=9, size_bytes=SIZE, serves=A), Claim.MAPPED, A)
FREE = IndexView(4, IndexFacts())
WELL = Facts(
    boot="boot",
    nbd_wanted=True,
    views=(SERVED, FREE),
    records=(RECORD,),
    links={A: "/dev/nbd3"},
    devices={3: "/dev/nbd3", 4: "/dev/nbd4"},
    volumes={A: Volume(True, SIZE)},
    servers={3: Server(9, A)},
    sockets=(3,),
    reads={3: ""},
    masters=(Master("/mnt/mfs", "mfsmaster:9421"),),
    metalogger=Metalogger("/var/lib/mfs", 3),
    chunk_folders={"/mnt/chunks": 0.5},
)
LEAKED = IndexView(4, IndexFacts(server_pid=8, size_bytes=SIZE, serves="/srv/b"))
SICK = {
    "missing-module": replace(WELL, nbd_loaded=False, views=(), records=(), links={}),
    "no-module": replace(WELL, nbd_loaded=False, nbd_available=False, views=()),
    "unreadable-record": replace(WELL, unreadable=("/var/lib/x.json",)),
    "left-files": replace(WELL, leftovers=("/var/lib/x.json.new",)),
    "full-state": replace(WELL, state_free_bytes=1 << 20),
    "full-run": replace(WELL, run_free_bytes=1 << 10),
    "stuck-udev": replace(WELL, udev_settled=False),
    "wrong-clock": replace(WELL, clock_year=1970),
    "unreachable-master": replace(WELL, masters=(Master("/mnt/mfs", "mfsmaster:9421", "Connection refused"),)),
    "read-only-mount": replace(WELL, masters=(Master("/mnt/mfs", "mfsmaster:9421", read_only=True),)),
    "mfsbdev-gone": replace(WELL, mfsbdev_gone=True),
    "changelogs-only": replace(WELL, metalogger=Metalogger("/var/lib/mfs", 3, has_metadata=False)),
    "full-chunkserver": replace(WELL, chunk_folders={"/mnt/chunks": 0.98}),
    "filling-chunkserver": replace(WELL, chunk_folders={"/mnt/chunks": 0.92}),
    "frozen-server": replace(WELL, servers={3: Server(9, A, frozen=True)}, reads={3: NO_ANSWER}),
    "silent-device": replace(WELL, reads={3: NO_ANSWER}),
    "orphaned-server": replace(WELL, servers={3: Server(9, A), 4: Server(10, "/srv/b")}),
    "dead-socket": replace(WELL, sockets=(3, 4)),
    "held-lock": replace(WELL, locks={"volume /srv/b": Held(77, False, ((78, "nbd-client"),))}),
    "two-data-paths": replace(WELL, volumes={A: Volume(True, SIZE, ("qemu (process 5)",))}),
    "volume-gone": replace(WELL, volumes={A: Volume(there=False)}),
    "unfinished-mapping": replace(WELL, records=(replace(RECORD, stage=Stage.PROVING),)),
    "lost-in-a-reboot": replace(WELL, boot="another", reads={}),
    "lost-mapping": replace(WELL, views=(replace(SERVED, facts=IndexFacts()), FREE), reads={}),
    "resized-volume": replace(WELL, volumes={A: Volume(True, 2 * SIZE)}),
    "failing-device": replace(WELL, reads={3: "Input/output error"}),
    "lost-link": replace(WELL, links={}),
    "stale-link": replace(WELL, links={A: "/dev/nbd3", "/srv/b": "/dev/nbd4"}),
    "leaked-device": replace(WELL, views=(SERVED, LEAKED)),
    "zombie-device": replace(WELL, views=(SERVED, IndexView(4, IndexFacts(size_bytes=SIZE)))),
    "foreign-device": replace(
        WELL, views=(SERVED, IndexView(4, IndexFacts(server_pid=8, serves="another program (x)")))
    ),
    "interrupted-move": replace(WELL, moves={"m1": Unended("/a", "/b", "copy")}),
    "reversion": replace(WELL, reverted={"/srv/b": ("qemu (process 5)",)}),
    "mapped-elsewhere": replace(WELL, elsewhere={A: "n2"}),
    "silent-peer": replace(WELL, silent_peers={"n2": 61.0}),
    "damaged-journal": replace(WELL, moves={"m1": Unended("?", "?", "?", damaged="a bad record")}),
}


def test_every_incident_has_its_state() -> None:
    assert set(SICK) == set(BY_NAME)
    assert len(EVERY) >= 30


@pytest.mark.parametrize("name", SICK)
def test_it_is_seen_in_it_alone_and_not_where_all_is_well(name: str) -> None:
    assert [case.incident for one in EVERY for case in one.cases(SICK[name])] == [name]
    assert [case for one in EVERY for case in one.cases(WELL)] == []


def test_most_have_a_remedy_and_each_of_those_a_proof_a_limit_and_what_a_person_would_do() -> None:
    with_remedy = [one for one in EVERY if one.remedy]
    assert len(with_remedy) >= 24
    for one in EVERY:
        assert one.advice
        assert 1 <= one.limits.tries <= 3
        assert one.remedy is None or one.act in (Act.TIDY, Act.MEND, Act.UNMAP, Act.RESUME, Act.END_PROGRAM)


@pytest.mark.parametrize("name", [one.name for one in EVERY if one.remedy])
def test_its_proof_holds_where_all_is_well(name: str) -> None:
    (case,) = BY_NAME[name].cases(SICK[name])
    well = WELL
    if name in ("volume-gone", "unfinished-mapping"):
        well = replace(WELL, records=(), links={}, views=(FREE,))
    assert BY_NAME[name].proof(well, case.subject)


def test_what_somebody_is_at_is_no_incident() -> None:
    held = {f"volume {A}": Held(77, True)}
    for name in (
        "unfinished-mapping",
        "lost-mapping",
        "resized-volume",
        "lost-link",
        "volume-gone",
        "lost-in-a-reboot",
    ):
        assert BY_NAME[name].cases(replace(SICK[name], locks=held)) == [], name


def test_nothing_is_taken_from_under_who_uses_it() -> None:
    used = IndexFacts(server_pid=8, size_bytes=SIZE, serves="/srv/b", holders=("/mnt/guest",))
    assert BY_NAME["leaked-device"].cases(replace(WELL, views=(SERVED, IndexView(4, used)))) == []
    mounted = replace(SERVED, facts=replace(SERVED.facts, holders=("/mnt/guest",)))
    for name in ("resized-volume", "failing-device"):
        assert BY_NAME[name].cases(replace(SICK[name], views=(mounted, FREE))) == [], name


@st.composite
def healthy(draw: st.DrawFn) -> Facts:
    """Some volumes mapped, some at hand, some being mapped or moved; others free."""
    views, records, links, volumes, servers, locks = [], [], {}, {}, {}, {}
    for index in range(draw(st.integers(0, 16))):
        name, size = f"/srv/{index}", 4096 * draw(st.integers(1, 1 << 20))
        kind = draw(st.sampled_from(["free", "mapped", "busy", "settling"]))
        if kind == "free":
            views.append(IndexView(index, IndexFacts()))
            continue
        if kind == "settling":
            views.append(IndexView(index, IndexFacts(udev_settled=False)))
            continue
        holders = tuple(draw(st.lists(st.sampled_from(["/mnt/x", "qemu (process 9)"]), max_size=1)))
        stage = Stage.MAPPED if kind == "mapped" else draw(st.sampled_from(Stage))
        views.append(IndexView(index, IndexFacts(9, size, 0, holders, serves=name), Claim.MAPPED, name, kind == "busy"))
        records.append(Record(name, name, index, stage, "nbd-client", "boot"))
        volumes[name], servers[index] = Volume(True, size), Server(9, name)
        if kind == "busy":
            locks[f"volume {name}"] = Held(5, True)
        if kind == "mapped" or draw(st.booleans()):
            links[name] = f"/dev/nbd{index}"
    moves = {"m1": Unended("/a", "/b", "copy", busy=True)} if draw(st.booleans()) else {}
    return replace(
        WELL,
        views=tuple(views),
        records=tuple(records),
        links=links,
        devices={index: f"/dev/nbd{index}" for index in range(16)},
        volumes=volumes,
        servers=servers,
        sockets=tuple(servers),
        reads={one.index: "" for one in records if one.index is not None},
        locks=locks,
        moves=moves,
        state_free_bytes=draw(st.integers(16 << 20, 1 << 50)),
        chunk_folders={"/mnt/chunks": draw(st.floats(0, 0.899))},
        masters=tuple(draw(st.lists(st.just(Master("/mnt/mfs", "m:9421")), max_size=2))),
    )


@pytest.mark.promise("S5-83")
@settings(max_examples=1000, deadline=None)
@given(healthy())
def test_a_thousand_states_that_are_well_and_not_one_incident(facts: Facts) -> None:
    assert [case for one in EVERY for case in one.cases(facts)] == []
