"""Each check that judges fails when it should, and a thousand hosts that are well are not accused of anything."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.storage.preflight.checks import EVERY as LOOKING
from harness.stack.storage.preflight.judged import EVERY
from harness.stack.storage.preflight.sight import (
    Files,
    Kernel,
    Link,
    Moose,
    Network,
    Ours,
    Place,
    Sight,
    Tried,
)

MIB, GIB = 1 << 20, 1 << 30
MOOSE = Moose(
    3, (), ("4.57.5",), {"missing": 0, "endangered": 0, "undergoal": 0}, 1 << 42, 1 << 41, (), "Saved in background"
)
WELL = Sight(
    kernel=Kernel(
        1 << 30,
        1 << 29,
        pressure={"cpu": 1.0, "memory": 0.0, "io": 2.0},
        group_room_bytes=GIB,
        memory_errors=0,
        on_battery=False,
    ),
    network=Network(links={"eth0": Link(packets=10000)}, sent=10000, tracked=5, tracked_most=100),
    source=Place(errors=0, remote=True),
    target=Place(errors=0, remote=True),
    moose=MOOSE,
    files=Files(tpm=True),
    ours=Ours(free_indexes=3),
)
BY_NAME = {one.name: one for one in EVERY}


def moose(**changes: object) -> Sight:
    return replace(WELL, moose=replace(MOOSE, **changes))  # type: ignore[arg-type]


def part(which: str, /, **changes: object) -> Sight:
    return replace(WELL, **{which: replace(getattr(WELL, which), **changes)})


def link(**changes: object) -> Sight:
    return part("network", links={"eth0": replace(Link(packets=10000), **changes)})  # type: ignore[arg-type]


SICK = {
    "chunkservers-are-there": moose(chunkservers=0),
    "two-copies-are-possible": moose(chunkservers=1),
    "no-chunk-is-missing": moose(chunks={"missing": 1}),
    "no-chunk-is-endangered": moose(chunks={"endangered": 1}),
    "no-chunk-lacks-a-copy": moose(chunks={"undergoal": 1}),
    "cluster-has-room": moose(free_bytes=1),
    "cluster-has-room-to-spare": moose(free_bytes=1 << 36),
    "disks-of-chunkservers-are-well": moose(bad_disks=("n2:9422:/srv: 3 errors",)),
    "nobody-maintains-a-chunkserver": moose(maintained=("n2",)),
    "metadata-is-stored": moose(save_status="Error saving metadata"),
    "one-version-everywhere": moose(versions=("4.56.6", "4.57.5")),
    "source-mount-is-quick": part("source", answers_s=2.0),
    "target-mount-is-quick": part("target", answers_s=2.0),
    "mounts-are-not-covered": part("target", covered=True),
    "there-is-a-route": part("network", routes=0),
    "neighbours-answer": part("network", silent_masters=("mfsmaster (192.0.2.1)",)),
    "little-is-sent-again": part("network", sent_again=900),
    "little-is-dropped": link(dropped=900),
    "connections-can-be-tracked": part("network", tracked=95),
    "ports-are-left": part("network", sockets=27000),
    "packets-are-large-enough": link(mtu=576),
    "links-do-not-flap": link(flaps_per_h=30.0),
    "links-go-both-ways": link(duplex="half"),
    "sockets-have-memory": part("network", socket_pages=1 << 21),
    "the-host-has-a-name": part("kernel", name="localhost"),
    "swap-is-left": part("kernel", swap_free_bytes=MIB),
    "processes-can-be-started": part("kernel", threads=9900),
    "the-host-can-open-files": part("kernel", files=9900),
    "memory-is-not-stalled": part("kernel", pressure={"memory": 80.0}),
    "processors-are-not-stalled": part("kernel", pressure={"cpu": 99.0}),
    "nothing-hangs": part("kernel", hanging=40),
    "state-has-inodes": part("ours", state_files=2),
    "run-has-inodes": part("ours", run_files=2),
    "run-has-room": part("ours", run_free_bytes=1000),
    "source-has-room-for-a-snapshot": part("source", free_bytes=1000),
    "the-group-leaves-memory": part("kernel", group_room_bytes=MIB),
    "source-is-of-whole-sectors": part("files", size_bytes=1000),
    "source-is-not-empty": part("files", size_bytes=0),
    "source-can-be-deleted": part("files", immutable=True),
    "source-is-no-swap": part("kernel", swaps=("/a/disk",)),
    "source-folder-can-be-written": part("files", folder_writable=False),
    "no-snapshot-is-left": part("files", snapshots_left=(".disk.mfs-move-1.snapshot",)),
    "no-part-is-left": part("files", parts_left=(".disk.mfs-move-1.part",)),
    "source-is-not-target": part("files", same=True),
    "target-folder-is-itself": part("files", target_by_link=True),
    "records-can-be-read": part("ours", bad_records=("x.json",)),
    "journals-can-be-read": part("ours", bad_journals=("x.journal",)),
    "no-mapping-is-unfinished": part("ours", unfinished=("/a/b",)),
    "links-agree": part("ours", wrong_links=("/a/b",)),
    "target-name-is-short-enough": part("files", target="/b/" + 250 * "x"),
    "state-is-ours-alone": part("ours", state_mode=0o777),
    "run-is-ours-alone": part("ours", run_mode=0o777),
    "no-shutdown-is-near": part("kernel", shutdown_scheduled=True),
    "no-upgrade-runs": part("kernel", packages_locked=True),
    "power-is-there": part("kernel", on_battery=True),
    "memory-keeps-what-it-is-given": part("kernel", memory_errors=1),
    "arrays-are-whole": part("kernel", degraded=("md0",)),
    "the-kernel-is-well": part("kernel", oopses=True),
    "file-systems-are-well": part("target", errors=3),
    "target-keeps-holes": part("tried", holes=False),
    "target-keeps-owners": part("tried", owner_kept=False),
    "folders-sync": part("tried", source_folder_syncs=False),
    "journal-syncs-quickly": part("tried", journal_s=3.0),
    "names-are-absolute": part("files", target="b/disk"),
    "source-is-a-volume": part("files", source="/var/lib/mfs-autonomy/daemon/state.json"),
    "target-is-a-storage": part("files", target="/run/mfs-autonomy/x"),
    "neither-is-the-kernels": part("files", target="/dev/shm/x"),
    "it-ends-today": part("files", size_bytes=1 << 43),
    "target-takes-files-so-large": replace(part("target", kind="vfat"), files=Files(size_bytes=8 * GIB, tpm=True)),
    "blocks-agree": part("target", block_bytes=4 * MIB),
    "tpm-state-is-private": part("files", tpm_mode=0o755),
    "a-device-is-free": part("ours", free_indexes=0),
    "its-driver-can-be-used": part("ours", lacking="the kernel has no NBD"),
}


@pytest.mark.promise("S5-01", "S5-34", "S5-35", "S5-36", "S5-37", "S5-38", "S5-39")
def test_there_are_as_many_as_are_promised_and_no_name_twice() -> None:
    every = [*((one.name, one.category) for one in LOOKING), *((one.name, one.category) for one in EVERY)]
    counted = Counter(str(category) for _, category in every)
    least = {"cluster": 20, "network": 15, "resources": 20, "state": 25, "safety": 20, "operation": 10}
    assert all(counted[category] >= count for category, count in least.items()), counted
    assert len({name for name, _ in every}) == len(every) >= 110


def test_every_one_of_them_has_a_host_that_it_fails_on() -> None:
    assert set(SICK) == set(BY_NAME)


@pytest.mark.parametrize("name", SICK)
def test_it_fails_on_that_host_and_not_on_one_that_is_well(name: str) -> None:
    assert BY_NAME[name].judge(WELL).good is True
    seen = BY_NAME[name].judge(SICK[name])
    assert seen.good is False
    assert seen.seen


@pytest.mark.parametrize("name", SICK)
def test_it_looks_at_no_part_that_it_does_not_name(name: str) -> None:
    """Another part, as sick as can be, changes nothing: it would not have been gathered."""
    needs = BY_NAME[name].needs
    sickest = {
        "kernel": Kernel(
            1, 0, 1, 1, 1, 1, {"cpu": 100.0}, 99, 0, True, ("md0",), 1, True, True, True, ("/a/disk",), ""
        ),
        "network": Network({"eth0": Link(1, 5000, 5000, 99.0, "half")}, 0, 5000, 5000, 9, 9, 9, 1, 9, 1, ("m",)),
        "source": Place("vfat", 9.0, True, 0, 1 << 30, 9, True),
        "target": Place("vfat", 9.0, True, 0, 1 << 30, 9, True),
        "moose": Moose(0, ("x",), ("1", "2"), {"missing": 1}, 1, 0, ("d",), "Error"),
        "files": Files("a", "b", 1, True, False, True, True, ("s",), ("p",), True, 0o777),
        "ours": Ours("/a", "/b", 0, 0, 0, 0o777, 0o777, ("r",), ("j",), ("u",), ("l",), 0, "x"),
        "tried": Tried(False, False, False, False, 9.0),
    }
    others = replace(WELL, **{key: value for key, value in sickest.items() if key not in needs})  # type: ignore[arg-type]
    assert BY_NAME[name].judge(others) == BY_NAME[name].judge(WELL)


@st.composite
def healthy(draw: st.DrawFn) -> Sight:
    """Hosts of all kinds, with and without MooseFS, swap, limits and batteries; all of them well."""
    remote, total = draw(st.booleans()), draw(st.integers(1 << 35, 1 << 55))
    threads, files, swap = (draw(st.integers(1000, 1 << 22)) for _ in range(3))
    size = 512 * draw(st.integers(1, 1 << 31))
    shares = st.floats(0, 49)
    place = st.builds(
        Place,
        kind=st.sampled_from(["ext4", "xfs", "btrfs", "fuse", "zfs", "nfs4"]),
        answers_s=st.floats(0, 0.9),
        free_bytes=st.integers(1 << 20, 1 << 60),
        block_bytes=st.sampled_from([512, 4096, 65536, 1 << 20]),
        errors=st.sampled_from([None, 0]),
        remote=st.just(remote),
    )
    links = st.builds(
        Link,
        mtu=st.integers(1280, 65536),
        packets=st.integers(0, 1 << 40),
        dropped=st.integers(0, 40),
        flaps_per_h=st.floats(0, 9),
        duplex=st.sampled_from(["", "full", "unknown"]),
    )
    name = draw(st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.äö", min_size=1, max_size=60))
    return Sight(
        kernel=Kernel(
            swap_total_bytes=draw(st.sampled_from([0, swap])),
            swap_free_bytes=draw(st.integers(swap // 10 + 1, swap)),
            threads=draw(st.integers(50, threads * 8 // 10)),
            threads_most=threads,
            files=draw(st.integers(50, files * 8 // 10)),
            files_most=files,
            pressure=draw(st.dictionaries(st.sampled_from(["cpu", "memory", "io"]), shares)),
            hanging=draw(st.integers(0, 15)),
            group_room_bytes=draw(st.none() | st.integers(64 << 20, 1 << 50)),
            memory_errors=draw(st.sampled_from([None, 0])),
            on_battery=draw(st.sampled_from([None, False])),
            swaps=tuple(draw(st.lists(st.sampled_from(["/dev/sda2", "/swapfile"]), max_size=2))),
            name=draw(st.sampled_from(["n1", "pve-3", "db.example"])),
        ),
        network=Network(
            links=draw(st.dictionaries(st.sampled_from(["eth0", "bond0", "vmbr0"]), links)),
            routes=draw(st.integers(1, 50)),
            sent=draw(st.integers(1000, 1 << 40)),
            sent_again=draw(st.integers(0, 49)),
            tracked=draw(st.none() | st.integers(0, 80)),
            tracked_most=100,
            sockets=draw(st.integers(0, 20000)),
            socket_pages=draw(st.integers(0, 1 << 19)),
        ),
        source=draw(place),
        target=draw(place),
        moose=draw(
            st.none()
            | st.builds(
                Moose,
                chunkservers=st.integers(2, 200),
                maintained=st.just(()),
                versions=st.sampled_from([(), ("4.57.5",), ("3.0.117",)]),
                chunks=st.sampled_from([{}, {"missing": 0, "endangered": 0, "undergoal": 0, "stable": 12345}]),
                total_bytes=st.just(total),
                free_bytes=st.integers(max(total // 20 + 1, size), max(total, size)),
                bad_disks=st.just(()),
                save_status=st.sampled_from(["-", "ok", "Saved in background"]),
            )
        ),
        files=Files(
            source=f"/mnt/a/{name}",
            target=f"/mnt/b/{name}",
            size_bytes=size,
            tpm=draw(st.booleans()),
            tpm_mode=draw(st.sampled_from([0o700, 0o500])),
        ),
        ours=Ours(
            state_files=draw(st.none() | st.integers(16, 1 << 40)),
            run_files=draw(st.none() | st.integers(16, 1 << 40)),
            run_free_bytes=draw(st.integers(1 << 20, 1 << 40)),
            state_mode=draw(st.sampled_from([0o700, 0o755, 0o750])),
            run_mode=draw(st.sampled_from([0o700, 0o755, 0o750])),
            free_indexes=draw(st.none() | st.integers(1, 16)),
        ),
        tried=Tried(journal_s=draw(st.floats(0, 1.9))),
        keep_source=draw(st.booleans()),
    )


@pytest.mark.promise("S5-83")
@settings(max_examples=1000, deadline=None)
@given(healthy())
def test_a_thousand_hosts_that_are_well_and_not_one_false_alarm(sight: Sight) -> None:
    said = {one.name: one.judge(sight) for one in EVERY}
    assert {name: seen.seen for name, seen in said.items() if seen.good is False} == {}
