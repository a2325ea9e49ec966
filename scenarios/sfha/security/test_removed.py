"""A node that was removed keeps its keys, and may have somebody on a member who sends what it makes: nobody listens."""

import json
from typing import Any

from fixtures.expected import undisturbed
from fixtures.marks import headline, promise
from fixtures.sfha.asking import asked
from fixtures.sfha.operator import Operator
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.engines.engine import NodeFile
from scenarios.sfha.security.attacks import as_nobody

KEPT = "/tmp/kept.json"
CHANGES = ("roster-changed", "config-replaced", "told-to-leave", "told-to-evict", "remove-peer-begun", "leader-elected")

ASK = f"""
import asyncio, base64
from sfha.datagrams.core.curve import key_from_text, shared_secret
from sfha.p2p.client import Caller, OneKey
from sfha.p2p.core import key_of_cluster, key_of_pair, key_of_token
own, to, address = sys.argv[1:]
kept = json.load(open("{KEPT}"))
authkey = base64.b64decode(kept["authkey"])
mesh, roster = kept["mesh"], kept["roster"]
public = next(one["public_key"] for one in mesh["peers"] if one["name"] == to)
pair = key_of_pair(shared_secret(key_from_text(mesh["private_key"]), key_from_text(public)))
later = dict(roster, epoch=roster["epoch"] + 9, members=[one for one in roster["members"] if one[1] == to])
bodies = [("/ping", None), ("/state", None), ("/full-config", dict(roster=later, shared=dict(vips=[]))),
          ("/roster-learn", dict(roster=later, ballot=[99, 2])), ("/leave", dict(roster=later)),
          ("/remove-peer", dict(peerName="n3", peerMeshIp="10.0.0.1", roster=later)),
          ("/remove-peer", dict(peerName="n2", peerMeshIp="10.0.0.1", roster=later)),
          ("/api/node/evict", dict(name="n2", force=True)), ("/vip-sync", dict(vips=[]))]
senders = [(name, key) for name in ("n1", "n2", "n3") for key in (key_of_cluster(authkey), pair)]
senders += [("token:" + "a" * 24, key_of_token(secret, "a" * 24)) for secret in (authkey, key_of_cluster(authkey))]
async def ask():
    found = []
    for name, key in senders:
        caller = Caller(name, OneKey(key), own)
        for path, body in bodies:
            found.append((await caller.call(to, address, path, body, timeout_s=3)).status)
            await asyncio.sleep(0.03)
    return found
print(json.dumps(asyncio.run(ask())))
"""

BACK = """
set -e
ip link add wg-back type wireguard 2> /dev/null || wireguard-go wg-back > /dev/null 2>&1
for _ in $(seq 50); do
    wg show wg-back > /dev/null 2>&1 && break
    sleep 0.1
done
wg setconf wg-back /tmp/back.conf
ip address add OWN/24 dev wg-back
ip link set wg-back up
for _ in $(seq 10); do for peer in PEERS; do curl -s -m 0.3 http://$peer:7777/ping || :; done; done
wg show wg-back latest-handshakes
"""


async def _kept_by(operator: Operator, node: str) -> dict[str, Any]:
    """All that lets a member speak, as its owner may have copied it."""
    return {
        "mesh": json.loads(await operator.shell(node, "cat /etc/sfha/mesh.json")),
        "authkey": (await operator.shell(node, "base64 -w0 /etc/corosync/authkey")).strip(),
        "tunnel": await operator.shell(node, "wg showconf wg-sfha"),
    }


async def _changes(operator: Operator, since_s: float) -> list[tuple[str, str]]:
    found = []
    for name in ("n1", "n2"):
        found += [(name, one["event"]) for one in await operator.log(name) if one["t_s"] > since_s]
    return [one for one in found if one[1] in CHANGES]


@headline
@promise("D-50")
async def test_what_a_removed_node_kept_opens_nothing(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Its keys in the hands of a user on a member, and its tunnel made again: refused from the removal on."""
    everybody, left = cluster.all_but(()), ("n1", "n2")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    cluster.expect(*undisturbed(vip))
    [(status, state)] = await asked(operator, "n3", "n1", "/state")
    assert status == 200, "a member is not answered"
    kept = await _kept_by(operator, "n3") | {"roster": state["roster"]}
    await operator.does("n1", "node", "remove", "n3", "--force")
    removed_s = now_s()
    for name in ("n2", "n3"):
        await cluster.engine.write_file(name, NodeFile(KEPT, json.dumps(kept).encode()))
    own, target = (cluster.plan.mesh_address(name) for name in ("n2", "n1"))
    statuses = await as_nobody(operator, "n2", ASK, own, "n1", target)
    assert len(statuses) == 72
    assert set(statuses) == {404}, f"somebody was let in: {statuses}"
    await operator.all_list(left, left)
    await operator.logged("n3", "left-cluster")
    await cluster.engine.write_file("n3", NodeFile("/tmp/back.conf", kept["tunnel"].encode(), mode=0o600))
    peers = " ".join(cluster.plan.mesh_address(name) for name in left)
    script = BACK.replace("OWN", cluster.plan.mesh_address("n3")).replace("PEERS", f"{peers}")
    handshakes = (await operator.succeeds("n3", script)).split("\n")
    assert [line.split()[-1] for line in handshakes if line.strip()] == ["0", "0"], handshakes
    assert not await _changes(operator, removed_s + 2), "a removed node changed something"
    assert [status for status, _ in await asked(operator, "n2", "n1", "/ping", count=3)] == [200] * 3
    await operator.all_list(left, left)
    await cluster.shut_down("n3")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
