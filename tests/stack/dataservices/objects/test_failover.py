"""What is done to whoever dies, and what has to be so from then on."""

import http.server
import json
import subprocess
import threading
from pathlib import Path

import pytest

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.objects.failover import failover_of
from harness.stack.dataservices.objects.places import is_here, leads
from harness.stack.dataservices.plan.core import Check, Command, told
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import OBJECTS

INVENTORY = read(OBJECTS)
STORES = pytest.mark.parametrize("store", ["seaweedfs", "minio"])


@STORES
def test_any_server_may_die_and_no_other_one_does(store: str) -> None:
    failover = failover_of(INVENTORY, store)
    assert [one.name for one in failover.candidates] == ["store-01", "store-02", "store-03"]
    for lost in failover.candidates:
        assert killed_by(failover.plan(lost)) == {lost.name}


@STORES
def test_what_was_acknowledged_is_read_while_it_is_away_and_all_is_when_it_is_back(store: str) -> None:
    plan = failover_of(INVENTORY, store).plan(INVENTORY.named("store-02"))
    assert [stage.name for stage in plan.stages] == [
        *("all serve", "clients put objects", "store-02 dies", "objects are read", "objects are put"),
        *("store-02 is back", "all serve again", "nothing is lost", "tidied up"),
    ]
    stages = {stage.name: stage for stage in plan.stages}
    (read_meanwhile,) = stages["objects are read"].actions["store-01"]
    assert "10.0.0.11,9000+10.0.0.13,9000 compare " in read_meanwhile.said()
    in_the_end = [one.command for one in stages["nothing is lost"].actions["store-01"] if isinstance(one, Check)]
    assert ["10.0.0.11,9000+10.0.0.12,9000+10.0.0.13,9000 compare " in one for one in in_the_end] == [True]


def test_a_client_is_in_the_midst_of_it_when_its_own_server_dies() -> None:
    plan = failover_of(INVENTORY, "seaweedfs").plan(INVENTORY.named("store-02"))
    begun = next(stage for stage in plan.stages if stage.name == "clients put objects")
    for server, does in begun.actions.items():
        (write,) = [one.command for one in does if isinstance(one, Command) and " write " in one.command]
        assert f"rehearsal.objects {INVENTORY.named(server).address},9000+" in write


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(failover_of(INVENTORY, "seaweedfs").plan(INVENTORY.named("store-01"))))
    assert "/opt/keyservices/credentials/objects.env" in lines
    assert "SECRET" not in lines


class Master(http.server.BaseHTTPRequestHandler):
    """Says of itself whether it leads, in SeaweedFS's words."""

    def do_GET(self) -> None:
        path = {"/cluster/status": self.server.said}  # type: ignore[attr-defined]
        body = json.dumps(path.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("said", "yes"),
    [
        ({"IsLeader": True, "Leader": "127.0.0.1:9333", "Peers": ["127.0.0.2:9333"]}, True),
        ({"Leader": "127.0.0.2:9333", "Peers": ["127.0.0.2:9333"]}, False),
    ],
)
def test_who_leads_is_who_says_so_of_itself(tmp_path: Path, said: dict[str, object], *, yes: bool) -> None:
    (tmp_path / "address").write_text("127.0.0.1\n")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Master) as server:
        server.said = said  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        command = leads().replace("/etc/keyservices/objects/address", str(tmp_path / "address"))
        done = subprocess.run(
            ["sh", "-c", command.replace("9333", str(server.server_port))], capture_output=True, check=False
        )
        server.shutdown()
    assert (done.returncode == 0) is yes, done.stderr


def test_of_minio_the_first_server_dies(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("10.0.0.12\n")

    def so(name: str) -> bool:
        command = is_here(INVENTORY.named(name)).replace("/etc/keyservices/objects/address", str(tmp_path / "address"))
        return subprocess.run(["sh", "-c", command], check=False).returncode == 0

    assert [so(name) for name in ("store-01", "store-02", "store-03")] == [False, True, False]
