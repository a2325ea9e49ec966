"""Datagrams that no daemon has made, from somebody without rights on a member: nobody takes notice of them."""

from fixtures.expected import undisturbed
from fixtures.marks import alone, headline, per_engine, promise
from fixtures.sfha.operator import Operator
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from scenarios.sfha.security.attacks import as_nobody, effects_of, quiet

ATTACK_S = 10.0

FORGE = """
import dataclasses, random
from sfha.datagrams.core import encoding, seals
from sfha.election.core import Duty, Heartbeat
own, targets, for_s = sys.argv[1], sys.argv[2].split(","), float(sys.argv[3])
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind((own, 0))
end_s, sent, link_errors = time.monotonic() + for_s, 0, 0
chance = random.Random(7)
try:
    open("/etc/sfha/mesh.json")
    key = "readable"
except PermissionError:
    key = "unreadable"
while time.monotonic() < end_s:
    beat = Heartbeat(7, sent, standby=False, ready=True, quorate=True, ring=1, leader=3, epoch=0)
    plain = encoding.encode(dataclasses.replace(beat, duty=Duty(draining=True)))
    sealed = bytes([seals.MESSAGE]) + chance.randbytes(24) + plain + chance.randbytes(16)
    hello = bytes([seals.HELLO]) + chance.randbytes(seals.HELLO_BYTES - 1)
    for target in targets:
        for datagram in (plain, sealed, hello):
            link.sendto(datagram, (target, 7778))
            sent += 1
    time.sleep(0.02)
print(json.dumps({"sent": sent, "key": key}))
"""


@alone
@headline
@per_engine
@promise("D-23")
async def test_heartbeats_forged_by_a_user_without_rights(cluster: Cluster, vip: str, operator: Operator) -> None:
    """They say that n3 leads and hands over: without a seal they are no heartbeats, and the address stays."""
    everybody = cluster.all_but(())
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    cluster.expect(*undisturbed(vip))
    control = await quiet(cluster, operator, ATTACK_S)
    targets = ",".join(cluster.plan.mesh_address(name) for name in ("n1", "n2"))
    began_s = now_s()
    done = await as_nobody(operator, "n3", FORGE, cluster.plan.mesh_address("n3"), targets, str(ATTACK_S))
    effects = await effects_of(operator, began_s, now_s())
    cluster.note(f"{done} in {ATTACK_S} s: {effects}; without an attack: {control}")
    assert done["key"] == "unreadable"
    assert done["sent"] > 40 * ATTACK_S, "the attack was none"
    assert effects.elections == 0, "a forged heartbeat was believed"
    assert effects.leases_lost <= control.leases_lost
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
