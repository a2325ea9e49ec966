"""A cleanup as a plan: what is declared goes, credentials stay, and nothing is begun where anything is in doubt."""

from collections.abc import Mapping

import pytest

from harness.stack.dataservices.cleanup.core import Declared
from harness.stack.dataservices.cleanup.plan import LeftoverWrong, plan, why_not_remove
from harness.stack.dataservices.inventory.core import Inventory, Role
from harness.stack.dataservices.plan.core import (
    Absent,
    Action,
    Check,
    Command,
    Directory,
    File,
    Packages,
    Plan,
    Undecided,
    Unit,
    told,
)
from harness.stack.dataservices.plan.footprint import Footprint, Leftover
from harness.stack.dataservices.plan.module import CREDENTIALS, HOME, placeholders
from tests.stack.dataservices.servers import of_every_role, small, with_programs

DISK = "/dev/disk/by-id/virtio-data"
ONE = Declared("redis-01", DISK, "/srv/redis")
FOOTPRINTS = [module.footprint for module in with_programs()]
LOOKED = ("fstab 644 root:root", "table VVVJRD0xIC8gZXh0NCBkZWZhdWx0cyAwIDEK")  # UUID=1 / ext4
THERE = ("0 exists", "0 mounted /srv/redis", "same 0 UUID=2", "0 looked")


def of(inventory: Inventory, *devices: Declared, everything: bool = False) -> Plan:
    """For all that are not protected."""
    servers = [one for one in inventory.servers if not one.protected]
    installer = (inventory.installer, HOME) if everything else None
    return plan(servers, FOOTPRINTS, devices, call="c0ffee", installer=installer)


def installed(inventory: Inventory) -> Mapping[str, list[Action]]:
    """All that modules make sure of, by server."""
    found: dict[str, list[Action]] = {}
    for module in with_programs():
        for stage in module.plan(inventory, placeholders(module)).stages:
            for server, actions in stage.actions.items():
                found.setdefault(server, []).extend(actions)
    return found


def gone(found: Plan, server: str) -> list[str]:
    """The paths at which nothing is left."""
    actions = [one for stage in found.stages for one in stage.actions.get(server, ())]
    return [one.path for one in actions if isinstance(one, Absent)]


@pytest.mark.promise("S4-16", "S4-17", "S4-19")
def test_whatever_a_module_writes_goes_but_for_credentials() -> None:
    inventory = of_every_role()
    found = of(inventory)
    for server, actions in installed(inventory).items():
        if server == inventory.installer.name:
            continue
        paths = gone(found, server)
        written = [one.path for one in actions if isinstance(one, File)]
        left = [path for path in written if not any(path == one or path.startswith(f"{one}/") for one in paths)]
        assert all(path.startswith(f"{CREDENTIALS}/") for path in left), f"{server}: {left}"
        assert not [path for path in paths if path.startswith(HOME)]


@pytest.mark.promise("S4-17")
def test_whatever_unit_a_module_runs_is_stopped() -> None:
    inventory = of_every_role()
    services = next(stage for stage in of(inventory).stages if stage.name == "services")
    for server, actions in installed(inventory).items():
        if server != inventory.installer.name:
            (stop,) = services.actions[server]
            for unit in (one for one in actions if isinstance(one, Unit)):
                assert f" {unit.name}" in stop.said(), f"{server}: {unit.name}"


@pytest.mark.promise("S4-02")
def test_what_was_removed_is_made_again_though_its_package_is_still_there() -> None:
    """A folder of a package comes with the package, once: whoever removes it has to make it."""
    inventory = of_every_role()
    found = of(inventory)
    for server, actions in installed(inventory).items():
        made: set[str] = set()
        removed = gone(found, server)
        for action in actions:
            if isinstance(action, Directory):
                made.add(action.path)
            if isinstance(action, File):
                folder = action.path.rpartition("/")[0]
                parents = {folder.rsplit("/", count)[0] for count in range(folder.count("/"))}
                if parents & set(removed):
                    assert any(one == folder or one.startswith(f"{folder}/") for one in made), f"{server}: {folder}"


def test_no_module_declares_what_is_not_its_own() -> None:
    for footprint in FOOTPRINTS:
        for left in footprint.leftovers:
            assert Role.INSTALLER not in left.roles
            assert [path for path in left.paths if why_not_remove(path)] == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/", "two names"),
        ("/etc", "two names"),
        ("etc/redis", "two names"),
        ("/etc/../home", "two names"),
        ("/etc/redis/", "two names"),
        ("/etc/red is", "two names"),
        ("/var/lib/*", "two names"),
        ("/etc/systemd/system", "not ours alone"),
        ("/opt/keyservices", "credentials"),
        ("/opt/keyservices/credentials", "credentials"),
        ("/opt/keyservices/credentials/redis.env", "credentials"),
    ],
)
@pytest.mark.promise("S4-19")
def test_what_must_not_be_declared_stops_all_of_it(path: str, why: str) -> None:
    assert why in (why_not_remove(path) or "")
    with pytest.raises(LeftoverWrong, match=path.replace("*", r"\*")):
        plan(small().of(Role.REDIS), [Footprint(leftovers=(Leftover((Role.REDIS,), (), (path,)),))], (), call="1")


@pytest.mark.promise("S4-11", "S4-18")
def test_the_installer_has_its_logs_and_what_is_temporary_removed_and_nothing_else() -> None:
    assert small().installer.name not in of(small()).servers
    todo = of(small(), everything=True)
    (tidied,) = [action for stage in todo.stages for action in stage.actions.get("install-01", ())]
    assert isinstance(tidied, Command)
    assert f"find {HOME}/logs {HOME}/tmp -mindepth 1" in tidied.command
    assert "systemctl" not in tidied.command


@pytest.mark.promise("S4-20")
def test_in_the_end_all_of_it_is_looked_at() -> None:
    last = of(small(), ONE).stages[-1]
    assert last.name == "as expected"
    assert set(last.actions) == {"redis-01", "redis-02", "redis-03", "lb-01", "lb-02"}
    said = [one.said() for one in last.actions["redis-01"] if isinstance(one, Check)]
    for what in ("none of ", "no containers", "nothing at ", f"{DISK} is an XFS", "credentials are kept"):
        assert [line for line in said if what in line], what
    assert not [one for one in last.actions["redis-02"] if DISK in one.said()]


def test_it_looks_before_anything_is_touched() -> None:
    first = of(small(), ONE).stages[0]
    assert first.decide is not None
    fine = dict.fromkeys(first.actions, LOOKED)
    assert first.decide({**fine, "redis-01": (*THERE, *LOOKED)}).stages == ()
    for answer, why in (
        (None, "redis-01: does not say"),
        (LOOKED, "redis-01: does not say"),
        ((*THERE[:-1], *LOOKED), "redis-01: does not say"),
        (("0 exists", "0 system", "0 looked", *LOOKED), "carries the system"),
        (("0 exists", "0 mounted /home", "0 looked", *LOOKED), "mounted at /home"),
        (("0 exists", "0 holder dm-0", "0 looked", *LOOKED), "part of dm-0"),
        (("0 looked", *LOOKED), "is not there"),
    ):
        with pytest.raises(Undecided, match=why):
            first.decide({**fine, "redis-01": answer})
    with pytest.raises(Undecided, match="lb-02: does not say"):
        first.decide({**fine, "redis-01": (*THERE, *LOOKED), "lb-02": None})


@pytest.mark.promise("S4-15")
def test_a_device_leaves_the_table_of_mounts_before_it_is_made_anew() -> None:
    devices = next(stage for stage in of(small(), ONE).stages if stage.name == "devices")
    assert set(devices.actions) == {"redis-01"}
    assert devices.decide is not None
    table = "VVVJRD0yIC9zcnYvcmVkaXMgeGZzIGRlZmF1bHRzIDAgMgo="  # UUID=2 /srv/redis xfs
    (made,) = devices.decide({"redis-01": (*THERE, "fstab 600 root:daemon", f"table {table}")}).stages
    packages, fstab, _, unmounted, wiped = made.actions["redis-01"]
    assert packages == Packages(("xfsprogs",))
    assert fstab == File("/etc/fstab", "", 0o600, "root:daemon")
    assert unmounted.said() == f"{DISK} is not mounted at /srv/redis"
    assert isinstance(wiped, Command)
    assert f"mkfs.xfs -q -f {DISK}" in wiped.command


def test_people_are_shown_all_of_it_beforehand() -> None:
    lines = [*told(of(small(), ONE, everything=True))]
    assert "  redis-01: nothing at /etc/redis" in lines
    assert [line for line in lines if line.startswith("  redis-01: stopped and not enabled: ")]
    assert f"  redis-01: tell what {DISK} carries, now" in lines
    assert not [line for line in lines if len(line) > 1000]
