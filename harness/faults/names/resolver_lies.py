"""A name server answers what is not so."""

import asyncio
import secrets
import socket
from contextlib import suppress

from harness.cluster import Cluster
from harness.fabric.namespaces import call_in
from harness.fault import Effect, Seen
from harness.faults.declaration import fault
from harness.faults.declared import judged
from harness.faults.resolving import UNUSED, NamesFile, addresses_of
from harness.healing import HealAction, RemoveLink

_PORT = 53
_IPV4, _NO_ERROR = 1, 0


@fault(
    family="names",
    example="n2",
    proof="a look-up of a name that nobody has gives the address of the lie in the node",
)
class ResolverLies(NamesFile):
    """The name server of the nodes is a host that is no node, and says of every name that it is 192.0.2.1.

    Only what reads /etc/resolv.conf again asks it, and only names that are in no file are asked for.
    """

    file = "/etc/resolv.conf"
    _number = 0
    _socket: socket.socket | None = None
    _answering: asyncio.Task[None] | None = None

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power, and a port for the server."""
        restore = super().aim(cluster)
        self._number = cluster.fabric.free_stranger()
        return (*restore, RemoveLink(cluster.fabric.layout.stranger_port(self._number)))

    async def inject(self, cluster: Cluster) -> None:
        """The server first: nobody is to be told that it is not there."""
        place = cluster.topology.place_of(self.targets[0])
        server = await cluster.life.machines.place_stranger(self._number, place)

        def listening() -> socket.socket:
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            opened.bind((server.address, _PORT))
            return opened

        self._socket = call_in(server.namespace, listening)
        self._answering = asyncio.create_task(_answer(self._socket))
        for node in self.targets:
            self._write(cluster, node, f"nameserver {server.address}\n".encode())

    async def see(self, cluster: Cluster) -> Seen:
        """Look up a name that nobody has."""
        lied_to, told = 0, []
        powered = [node for node in self.targets if cluster.is_up(node)]
        for node in powered:
            name = f"{secrets.token_hex(4)}.example"
            found, _ = await addresses_of(cluster, node, name)
            lied_to += UNUSED in found
            told.append(f"on {node} {name} is {', '.join(sorted(found)) or 'unknown'}")
        return judged(lied_to, len(powered), "; ".join(told)) if powered else Seen(Effect.NONE, "nobody has power")

    async def end(self, cluster: Cluster) -> None:
        """The server goes."""
        if self._answering is not None:
            self._answering.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await self._answering
        if self._socket is not None:
            self._socket.close()


async def _answer(listening: socket.socket) -> None:
    from scapy.layers.dns import DNS, DNSRR

    loop = asyncio.get_running_loop()
    while True:
        text, asker = await loop.sock_recvfrom(listening, 2048)
        query = DNS(text)
        question = query.qd[0]
        lies = [DNSRR(rrname=question.qname, type="A", ttl=1, rdata=UNUSED)] if question.qtype == _IPV4 else []
        reply = DNS(id=query.id, qr=1, aa=1, rd=query.rd, ra=1, rcode=_NO_ERROR, qd=[question], an=lies)
        await loop.sock_sendto(listening, bytes(reply), asker)
