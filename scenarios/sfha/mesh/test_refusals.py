"""What `init` and `join` refuse: at once, saying what is in the way, and leaving everything as it was."""

from fixtures.expected import undisturbed
from fixtures.marks import promise, software
from fixtures.sfha.operator import Operator
from fixtures.sfha.tokens import read_token
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate

THEIRS = """\
totem {{
  version: 2
  cluster_name: prod
  crypto_cipher: none
  crypto_hash: none
}}
nodelist {{
  node {{
    name: ours
    nodeid: 1
    ring0_addr: {address}
  }}
  node {{
    name: far-1
    nodeid: 2
    ring0_addr: 192.0.2.71
  }}
  node {{
    name: far-2
    nodeid: 3
    ring0_addr: 192.0.2.72
  }}
}}
quorum {{
  provider: corosync_votequorum
}}
system {{
  sched_rr: no
}}
"""
FOUND = ("init", "--name", "demo")
STATE = (
    "find /etc/sfha /var/lib/sfha /etc/wireguard -type f 2>/dev/null; md5sum /etc/corosync/*; "
    "ls /proc/sys/net/ipv4/conf; pgrep -x corosync; pgrep -x wireguard-go"
)


async def _refused(operator: Operator, node: str, *words: str, says: tuple[str, ...]) -> None:
    """The command is refused in one line with these words in it, and the node is what it was."""
    before = await operator.shell(node, STATE)
    said = await operator.does(node, *words, exit_code=1)
    reason = [line for line in said.splitlines() if line.startswith("sfha: ")]
    assert len(reason) == 1, said
    assert all(word in reason[0] for word in says), f"{says} is not in: {reason[0]}"
    after = await operator.shell(node, STATE)
    assert after == before, f"{node} was {before}\nand is {after}"


@software("sfha-unconfigured", "etcd")
@promise("D-35", "D-36")
async def test_another_clusters_corosync(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Its file, its key and its process stay what they are, whether it runs or not; without it the node joins."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    token = await operator.token("n1")
    theirs = THEIRS.format(address=cluster.plan.address("n2"))
    example = "/etc/corosync/corosync.conf /root/example"
    await operator.succeeds("n2", f"mv {example} && printf '{theirs}' > /etc/corosync/corosync.conf")
    await operator.succeeds("n2", "head -c 128 /dev/urandom > /etc/corosync/authkey")
    stopped = ("/etc/corosync/corosync.conf", "prod", "3 nodes", "ours, far-1, far-2")
    await _refused(operator, "n2", *FOUND, says=stopped)
    await _refused(operator, "n2", "join", token, says=stopped)
    running = "corosync -f {} > /root/corosync.log 2>&1 < /dev/null & sleep 1; pgrep -x corosync"
    await operator.succeeds("n2", running.format(""))
    await _refused(operator, "n2", *FOUND, says=("runs here", *stopped))
    await operator.succeeds("n2", "pkill -x corosync; while pgrep -x corosync; do sleep 0.1; done")
    await operator.succeeds(
        "n2", "mv /etc/corosync/corosync.conf /etc/corosync/theirs.conf; mv /etc/corosync/authkey /root"
    )
    await operator.succeeds("n2", f"cp {' '.join(reversed(example.split()))}")
    await operator.succeeds("n2", running.format("-c /etc/corosync/theirs.conf"))
    elsewhere = ("/etc/corosync/theirs.conf", "prod", "ours, far-1, far-2")
    await _refused(operator, "n2", *FOUND, says=elsewhere)
    await _refused(operator, "n2", "join", token, says=elsewhere)
    await operator.succeeds("n2", "pkill -x corosync; while pgrep -x corosync; do sleep 0.1; done")
    # That of the package, alone, is nobody's.
    await operator.succeeds("n2", running.format(""))
    assert "stopped the Corosync that ran here" in await operator.does("n2", "join", token)
    await operator.joins("n3", seeder="n2")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)


@software("sfha-unconfigured", "etcd")
@promise("D-38", "D-39", "D-40", "D-41", "D-42", "D-44")
async def test_what_cannot_be_is_refused_before_anything_is_written(
    cluster: Cluster, vip: str, operator: Operator
) -> None:
    """Names, networks and endpoints that cannot be; and with what each refusal says to do, it works."""
    for name, word in (("prod {eu}", "brace"), ("a\nb: c", "line break"), ("", "empty"), ("x" * 600, "bytes")):
        await _refused(operator, "n2", "init", "--name", name, says=("--name", word))
    lan = cluster.plan.network(cluster.topology.place_of("n2"))
    await _refused(operator, "n2", *FOUND, "--mesh", lan, says=(lan, "eth0", "--mesh 10.90.0.0/24"))
    await operator.succeeds("n2", "ip address add 10.90.0.77/24 dev eth0")
    await _refused(operator, "n2", *FOUND, says=("10.90.0.0/24", "eth0", "--mesh 10.91.0.0/24"))
    wrong = "fd00:1::1:51820"
    await _refused(operator, "n2", *FOUND, "--mesh", "10.91.0.0/24", "--endpoint", wrong, says=("[fd00:1::1]:51820",))
    nowhere = "n2.nowhere.example:51820"
    await _refused(
        operator, "n2", *FOUND, "--mesh", "10.91.0.0/24", "--endpoint", nowhere, says=("n2.nowhere.example",)
    )

    await operator.succeeds("n1", f"cp /etc/sfha/config.yml /root; sed -i 's/{vip}/10.90.0.2/' /etc/sfha/config.yml")
    await _refused(operator, "n1", "init", "--name", "harness", says=("10.90.0.2", "10.90.0.0/24"))
    await operator.succeeds("n1", "cp /root/config.yml /etc/sfha/config.yml")
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    assert "inside the mesh" in await operator.does("n1", "vip", "add", "odd", "10.90.0.2/24", exit_code=1)
    await _by_hand_and_not_promised(operator, vip)
    token = await operator.token("n1")
    await _refused(operator, "n2", "join", token, says=("10.90.0.0/24", "eth0"))
    await operator.succeeds("n2", "ip address delete 10.90.0.77/24 dev eth0")
    await _refused(operator, "n2", "join", token, "--endpoint", nowhere, says=("n2.nowhere.example", "--endpoint"))
    await _refused(operator, "n2", "join", token, "--endpoint", wrong, says=("[fd00:1::1]:51820",))
    closed = await operator.token("n1", "--endpoint", f"{cluster.plan.address('n1')}:9")
    await _refused(operator, "n2", "join", closed, says=("n1", ":9", "refused"))
    await _refused(operator, "n2", "join", await operator.token("n1", "--endpoint", nowhere), says=("nowhere.example",))

    said = await operator.does("n2", "join", token, "--node-name", "n1", exit_code=1)
    assert "--node-name" in said, said
    assert "remove" not in said, said
    await operator.does("n2", "join", token, "--node-name", "n2b")
    assert "name: n2b" in await operator.shell("n2", "cat /etc/sfha/config.yml")
    await operator.all_list(("n1", "n2"), ("n1", "n2b"))
    await operator.logged("n1", "newcomer-votes", name="n2b")
    await operator.does("n2", "leave")
    for name in ("n2", "n3"):  # at once, and under its host name again
        await operator.joins(name, seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)


async def _by_hand_and_not_promised(operator: Operator, vip: str) -> None:
    """An address of the mesh that somebody wrote into config.yml: found by config-check, and in no token."""
    add = (
        "import json; path = '/etc/sfha/config.yml'; config = json.load(open(path)); "
        "config['vips'].append({'name': 'odd', 'ip': '10.90.0.2/32'}); json.dump(config, open(path, 'w'))"
    )
    await operator.succeeds("n1", f'cp /etc/sfha/config.yml /root; python3 -c "{add}"')
    assert "inside the mesh" in await operator.does("n1", "config-check", exit_code=1)
    await operator.does("n1", "reload")
    promised = [read_token(await operator.token("n1"))["assigned_ip"] for _ in range(2)]
    assert promised == ["10.90.0.3", "10.90.0.4"]
    assert "10.90.0.2" in await operator.does("n1", "token", "--ip", "10.90.0.2", exit_code=1)
    await operator.succeeds("n1", "cp /root/config.yml /etc/sfha/config.yml")
    await operator.does("n1", "reload")
    assert vip in await operator.does("n1", "vip", "list")
