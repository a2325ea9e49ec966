"""What a PostgreSQL is told once a server is proven to have no power: its lease is over. Pure.

Patroni's leader holds a lease in etcd for 20 s, and nobody else may lead before it is over. It is the dead server's
own lease that is revoked, and only while the key of the leader is his: if another one leads, there is nothing to do.
"""

from ..inventory.core import Server
from ..plan.core import Command

SCOPE = "keyservices"
_ETCDCTL = "ETCDCTL_API=3 etcdctl --endpoints=127.0.0.1:2379 --dial-timeout=300ms --command-timeout=300ms"
_REVOKED_WITHIN_S = 10


def leads_no_more(dead: Server) -> tuple[Command, ...]:
    """On one survivor. While etcd itself has no leader, it is asked again."""
    key = f"/service/{SCOPE}/leader"
    # Serializable: answered by this member alone, also while it has no leader.
    ask = f"{_ETCDCTL} get {key} --consistency=s -w fields"
    held = f'grep -qx \'"Value" : "{dead.name}"\''
    answered = "grep -q '^\"Revision\"'"
    lease = "sed -n 's/^\"Lease\" : //p'"
    revoke = f"""left={_REVOKED_WITHIN_S * 20}
while said=$({ask} 2>/dev/null) || [ "$left" -gt 0 ]; do
    printf '%s\\n' "$said" | {answered} && {{ printf '%s\\n' "$said" | {held} || exit 0; }}
    lease=$(printf '%s\\n' "$said" | {lease})
    [ -n "$lease" ] && {_ETCDCTL} lease revoke "$(printf %x "$lease")" >/dev/null 2>&1 && exit 0
    left=$((left - 1)); [ "$left" -gt 0 ] || exit 1
    sleep 0.05
done
exit 1"""
    asked = f"said=$({ask}) && printf '%s\\n' \"$said\" | {answered} && ! printf '%s\\n' \"$said\" | {held}"
    return (Command(revoke, asked, about=f"the lease by which {dead.name} leads is over"),)
