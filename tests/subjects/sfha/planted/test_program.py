"""The program on a node: what it sees in files and on the wire, what it keeps, what it does. With no node."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.addresses import AddressPlan
from harness.errors import UsageError
from harness.subjects.sfha.planted.defects import PLANTED, Damage
from harness.subjects.sfha.planted.program import Breaking, Memory, Senses, Settings
from harness.subjects.sfha.planted.subject import PlantedSfha
from harness.subjects.sfha.planted.watch import Noted
from tests.contracts.subject import TOPOLOGY

ADDRESSES = {"n1": "127.31.7.1", "n2": "127.31.7.2"}
DEADLINE_S = 10.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in {"sys/class/net/eth0/carrier": "1\n", "sys/class/net/eth0/carrier_changes": "2\n",
                       "etc/sfha/mesh.json": "{}", "etc/resolv.conf": "nameserver 192.0.2.53\n"}.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def settings_of(node: str, address: str = "192.0.2.1") -> Settings:
    return Settings("frozen-twice", address, node, ADDRESSES)


@pytest.fixture
def senses(root: Path) -> Iterator[Senses]:
    made = Senses(settings_of("n1"), root)
    yield made
    made.close()


def until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end_s


def test_it_sees_what_becomes_of_cable_names_and_room(senses: Senses, root: Path) -> None:
    seen = senses.look()
    assert (seen.carrier, seen.carrier_changes, seen.named, seen.roomy, seen.holds) == (True, 2, True, True, False)
    (root / "sys/class/net/eth0/carrier").write_text("0\n")
    (root / "sys/class/net/eth0/carrier_changes").write_text("3\n")
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.9\n")
    (root / "etc/sfha/mesh.json").unlink()
    room = root / "var/lib/planted/room"
    room.unlink()
    room.mkdir()  # so that nothing can be written there, also by root
    until(lambda: not senses.look().roomy)
    seen = senses.look()
    assert (seen.carrier, seen.carrier_changes, seen.named, seen.member) == (False, 3, False, False)


def test_two_of_them_hear_each_other_and_leave_what_is_none_of_theirs(senses: Senses, tmp_path: Path) -> None:
    other = Senses(settings_of("n2", address="127.31.7.9"), tmp_path / "other")
    try:
        assert other.look().holds, "an address of this machine"
        other._socket.sendto(b"\xff{", (ADDRESSES["n1"], 4850))
        other._socket.sendto(b'{"sender": "n2"}', (ADDRESSES["n1"], 4850))
        other.look()
        heard: list[tuple[str, int, int]] = []

        def both() -> bool:
            heard.extend((one.sender, one.boots, one.number) for one in senses.look().beacons)
            return len(heard) > 1

        until(both)
        assert heard == [("n2", 1, 1), ("n2", 1, 2)]
    finally:
        other.close()


def test_standing_still_is_told_from_waiting_for_the_processor(senses: Senses, root: Path) -> None:
    waited = root / "proc/self/schedstat"
    waited.parent.mkdir(parents=True)
    waited.write_text("0 1000000000 5\n")
    senses.rest()
    waited.write_text("0 9000000000 5\n")
    assert senses.look().still_s < -7.0
    assert 0 <= senses.look().still_s < DEADLINE_S


def test_a_loss_of_power_is_counted_and_a_new_start_of_the_program_is_not(senses: Senses, root: Path) -> None:
    assert (senses.boots, senses.returned) == (1, False)
    senses.close()
    again = Senses(settings_of("n1"), root)
    assert (again.boots, again.returned) == (1, False)
    again.close()
    (root / "run/planted").unlink()  # what is in /run is gone with the power
    back = Senses(settings_of("n1"), root)
    assert (back.boots, back.returned) == (2, True)
    back.close()


def test_the_story_outlives_the_power(root: Path, senses: Senses) -> None:
    froze, other = Noted("froze", 1.0, 0.0), Noted("named", 2.0, 2.0)
    assert not Memory("frozen-twice", root).take((froze, other))
    (kept,) = json.loads((root / "var/lib/planted/story").read_text())
    assert kept["mark"] == "froze"
    assert Memory("frozen-twice", root).take((froze,))
    assert not Memory("frozen-twice", root).take((froze,)), "it begins anew"


def test_a_story_that_was_half_written_is_none(root: Path, senses: Senses) -> None:
    (root / "var/lib/planted/story").write_text('[{"mark": "fro')
    assert not Memory("frozen-twice", root).take((Noted("froze", 1.0, 0.0),))


def test_a_damage_is_done_as_often_as_it_says_and_never_waited_for(tmp_path: Path) -> None:
    into = tmp_path / "done"
    breaking = Breaking(Damage(f"echo {{address}} >> {into}; sleep 0.2", (), every_s=1.0, for_s=3.0), "192.0.2.1")
    began_s = time.monotonic()

    def done() -> int:
        return into.read_text().count("192.0.2.1") if into.exists() else 0

    assert breaking.go_on(began_s)
    assert breaking.go_on(began_s), "it is under way"
    until(lambda: breaking._running is not None and breaking._running.poll() is not None)
    assert breaking.go_on(began_s + 0.9)
    assert done() == 1
    assert breaking.go_on(began_s + 1.1)
    until(lambda: breaking._running is not None and breaking._running.poll() is not None)
    assert done() == 2
    assert not breaking.go_on(began_s + 3.5)


def test_one_that_lasts_is_done_once(tmp_path: Path) -> None:
    into = tmp_path / "done"
    breaking = Breaking(Damage(f"echo x >> {into}", ()), "192.0.2.1")
    for second in range(5):
        assert breaking.go_on(time.monotonic() + second)
        until(lambda: breaking._running is not None and breaking._running.poll() is not None)
    assert into.read_text() == "x\n"


@pytest.mark.parametrize("name", PLANTED)
def test_every_damage_is_a_script_that_a_shell_can_read(name: str) -> None:
    script = PLANTED[name].damage.script.replace("{address}", "192.0.2.1")
    assert "{{" not in script
    subprocess.run(("sh", "-n", "-c", script), check=True)


def test_what_a_node_gets_runs_by_itself(tmp_path: Path) -> None:
    files = {file.path: file for file in PlantedSfha().files("n1", TOPOLOGY, AddressPlan(TOPOLOGY, "planted"))}
    for path, file in files.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_bytes(file.content)
    known = json.loads(files["/etc/planted.json"].content)
    assert set(known["addresses"]) == set(TOPOLOGY.node_names)
    place = tmp_path / "usr/local/lib/harness"
    code = f"import sys; sys.path.insert(0, {str(place)!r}); from planted.program import Settings, main; print(main)"
    subprocess.run((sys.executable, "-ISEB", "-c", code), check=True, capture_output=True)


def test_a_defect_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match='did you mean "frozen-twice"'):
        PlantedSfha(planted="frozen-twise")
