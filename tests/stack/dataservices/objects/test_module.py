"""What module 6 makes sure of, and where, of either store."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.dataservices.credentials.core import OBJECTS as CREDENTIALS
from harness.stack.dataservices.inventory.core import Inventory, InventoryWrong, read
from harness.stack.dataservices.objects.module import ObjectsModule, Store
from harness.stack.dataservices.objects.places import CLIENT_PORTS, PEER_PORTS
from harness.stack.dataservices.plan.core import Action, Carried, Command, Directory, File, Packages, Plan, Unit, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.programs.core import WEED, Program
from tests.stack.dataservices.servers import OBJECTS

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
SERVERS = ("store-01", "store-02", "store-03")
SEAWEEDFS = ObjectsModule(Store("seaweedfs", (Program(f"/opt/keyservices/packages/{WEED.name}", WEED.sha256),)))
MINIO = replace(
    SEAWEEDFS,
    store=Store("minio", (Program("/usr/local/bin/minio", "a" * 64), Program("/usr/local/bin/mc", "b" * 64))),
)
BOTH = pytest.mark.parametrize("module", [SEAWEEDFS, MINIO], ids=["seaweedfs", "minio"])


def inventory() -> Inventory:
    """Three servers."""
    return read(OBJECTS)


def plan(module: ObjectsModule = SEAWEEDFS) -> Plan:
    """Of the small inventory."""
    return module.plan(inventory(), SECRETS)


def actions(server: str, module: ObjectsModule = SEAWEEDFS) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan(module).stages for one in stage.actions.get(server, ())]


def files(server: str, module: ObjectsModule = SEAWEEDFS) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server, module) if isinstance(one, File)}


@BOTH
def test_stages_are_in_the_order_that_is_promised(module: ObjectsModule) -> None:
    names = [stage.name for stage in plan(module).stages]
    assert names == ["credentials", "prepared", "single", "cluster", "client", "validated"]
    assert all(set(stage.actions) == {*SERVERS} for stage in plan(module).stages)


@BOTH
@pytest.mark.promise("S4-47")
def test_whoever_needs_the_credentials_has_them_before_anything_else(module: ObjectsModule) -> None:
    for server in SERVERS:
        file = files(server, module)["/opt/keyservices/credentials/objects.env"]
        assert file.mode == 0o600
        assert all(f"{name}={value}\n" in file.content for name, value in SECRETS.items())
    assert [one.name for one in CREDENTIALS.holders(inventory())] == ["install-01", *SERVERS]


@BOTH
def test_no_secret_is_told_or_on_a_command_line(module: ObjectsModule) -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan(module)) for secret in secrets if secret in line]
    for stage in plan(module).stages:
        for does in stage.actions.values():
            assert not [secret for secret in secrets if secret in script_of(does)]
    for server in SERVERS:
        for file in files(server, module).values():
            if any(secret in file.content for secret in secrets):
                assert not file.mode & 0o007, file.path
                assert not file.mode & 0o020, file.path


@BOTH
@pytest.mark.promise("S4-09", "S4-72")
def test_a_file_is_written_where_the_plan_has_made_a_folder_before(module: ObjectsModule) -> None:
    there = {"/etc", "/etc/systemd/system", "/usr/local/bin"}
    for action in actions("store-01", module):
        match action:
            case Directory(path):
                there.add(path)
            case File(path) | Carried(path):
                assert path.rpartition("/")[0] in there, path


@BOTH
def test_a_server_that_has_the_objects_of_another_store_is_refused(module: ObjectsModule, tmp_path: Path) -> None:
    """Run for real, in a folder of its own."""
    note = next(
        one for one in actions("store-01", module) if isinstance(one, Command) and "no other store's" in one.said()
    )
    assert module.store is not None

    def noted(command: Command) -> int:
        here = str(tmp_path / "store")
        words = [part.replace("/etc/keyservices/objects/store", here) for part in (command.done_when, command.command)]
        done = subprocess.run(["sh", "-c", f"{words[0]} || {{ {words[1]}; }}"], check=False, capture_output=True)
        return done.returncode

    assert noted(note) == 0
    assert (tmp_path / "store").read_text() == f"{module.store.name}\n"
    assert noted(note) == 0
    (tmp_path / "store").write_text("another\n")
    assert noted(note) != 0
    assert (tmp_path / "store").read_text() == "another\n"


@pytest.mark.parametrize("server", SERVERS)
def test_seaweedfs_is_the_wheel_that_was_tried_and_knows_all_masters(server: str) -> None:
    (wheel,) = (one for one in actions(server) if isinstance(one, Carried))
    assert wheel.sha256 == WEED.sha256
    unit = files(server)["/etc/systemd/system/objects.service"].content
    address = inventory().named(server).address
    assert f"-ip={address} -ip.bind={address} -dataCenter=keyservices -rack={server} " in unit
    assert "-master.peers=10.0.0.11:9333,10.0.0.12:9333,10.0.0.13:9333" in unit
    assert "-master.defaultReplication=010" in unit


def test_which_content_belongs_to_a_name_is_asked_of_the_servers_own_etcd() -> None:
    for server in SERVERS:
        filer = files(server)["/etc/keyservices/objects/filer.toml"].content
        assert 'servers = "127.0.0.1:2389"' in filer
        etcd = files(server)["/etc/keyservices/objects/etcd.yml"].content
        assert f"name: {server}\n" in etcd
        assert "initial-cluster: store-01=http://10.0.0.11:2390,store-02=http://10.0.0.12:2390," in etcd
        identities = json.loads(files(server)["/etc/keyservices/objects/s3.json"].content)["identities"]
        assert [one["name"] for one in identities] == ["app"], "nobody who is anonymous"


def test_installing_the_package_of_etcd_starts_nothing() -> None:
    does = actions("store-01")
    drop_in = files("store-01")["/etc/systemd/system/etcd.service.d/objects.conf"]
    assert does.index(drop_in) < next(place for place, one in enumerate(does) if isinstance(one, Packages))
    # Where module 3 has its etcd, this is where its settings are.
    assert "ConditionPathExists=/etc/keyservices/etcd.yml\n" in drop_in.content


def test_volumes_are_synchronous_before_anything_is_written_to_them() -> None:
    said = [one.said() for one in actions("store-01")]
    synchronous = next(place for place, line in enumerate(said) if "is on its disk at once" in line)
    assert synchronous < next(place for place, line in enumerate(said) if line.startswith("unit objects.service"))


def test_a_watcher_watches_all_others() -> None:
    for server in SERVERS:
        peers = json.loads(files(server)["/etc/keyservices/objects/watcher.json"].content)["peers"]
        assert sorted((*peers, inventory().named(server).address)) == ["10.0.0.11", "10.0.0.12", "10.0.0.13"]
        assert "objects-watcher.service" in [one.name for one in actions(server) if isinstance(one, Unit)]


def test_minio_has_its_client_configured_on_every_server() -> None:
    for server in SERVERS:
        assert [one.path for one in actions(server, MINIO) if isinstance(one, Carried)] == [
            "/usr/local/bin/minio",
            "/usr/local/bin/mc",
        ]
        known = json.loads(files(server, MINIO)["/root/.mc/config.json"].content)["aliases"]["objects"]
        assert known["url"] == f"http://{inventory().named(server).address}:9000"
        env = files(server, MINIO)["/etc/keyservices/objects/minio.env"].content
        volumes = " ".join(f"http://10.0.0.1{number}:9000/var/lib/objects/minio" for number in (1, 2, 3))
        assert f'MINIO_VOLUMES="{volumes}"\n' in env


@BOTH
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_units_are_what_systemd_takes(module: ObjectsModule, tmp_path: Path) -> None:
    units = {path: one for path, one in files("store-01", module).items() if path.endswith(".service")}
    assert units
    for path, one in units.items():
        # Programs that are not here would be all that is said.
        text = one.content
        for program in ("/usr/local/bin/weed", "/usr/local/bin/minio", "/usr/bin/etcd"):
            text = text.replace(f"ExecStart={program}", "ExecStart=/bin/true")
        (tmp_path / Path(path).name).write_text(text.replace("User=objects\n", "User=root\n"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "objects" in line]
    assert not ours


def test_ports_are_said_once_and_none_is_anothers() -> None:
    ports = [*CLIENT_PORTS, *PEER_PORTS]
    assert len({*ports}) == len(ports)
    unit = files("store-01")["/etc/systemd/system/objects.service"].content
    assert all(f"port={port} " in unit for port in (9000, 9333, 9340, 9350))


def test_which_store_it_is_has_to_be_known() -> None:
    with pytest.raises(ModuleImpossible, match="does not know which store"):
        ObjectsModule().plan(inventory(), SECRETS)


def test_two_servers_have_no_majority() -> None:
    with pytest.raises(InventoryWrong, match="2 x objects: they decide by majority"):
        read(OBJECTS.replace("store-03\tobjects", "store-03\tredis").replace("redis", "k3s-worker"))


@BOTH
def test_addresses_of_version_6_are_refused(module: ObjectsModule) -> None:
    with pytest.raises(ModuleImpossible, match="store-01, store-02, store-03: a store is installed with addresses of"):
        module.plan(read(OBJECTS.replace("10.0.0.1", "fd00::1")), SECRETS)
