"""``harness forward``: a port of a node, for a browser or any other program of this host."""

import asyncio
import contextlib
import socket
from pathlib import Path

import click

from harness.cli.cluster import acting_on, cluster_option, told_to_end, until_told
from harness.cluster import Cluster
from harness.engines.choice import has_own_kernels
from harness.errors import ClusterGone, HarnessError, UsageError
from harness.fabric.namespaces import call_in
from harness.forwarding import Forwarding

CONNECT_WITHIN_S = 5.0


@click.command("forward")
@cluster_option
@click.option(
    "--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="Where; port 0 is any that is free."
)
@click.argument("node")
@click.argument("port", type=click.IntRange(1, 65535))
def forward_command(run_id: str | None, listen: str, node: str, port: int) -> None:
    """Reach a TCP port inside a node from this host, until Ctrl-C or the end of the cluster.

    What listens on the node's loopback alone is reached as well. A node that loses its power and gets it back is found
    again.
    """
    host, at = _place(listen)
    with acting_on(run_id) as cluster:
        cluster.topology.node(node)
        engine = cluster.design.engines[node]
        if has_own_kernels(engine):
            raise UsageError(f"{node} has a kernel of its own, whose ports cannot be reached from this host")
        _pid(cluster, node)
        asyncio.run(_forward(cluster, node, port, (host, at)))


async def _forward(cluster: Cluster, node: str, port: int, place: tuple[str, int]) -> None:
    def connect() -> socket.socket:
        namespace = Path(f"/proc/{_pid(cluster, node)}/ns/net")
        try:
            return call_in(namespace, lambda: socket.create_connection(("127.0.0.1", port), timeout=CONNECT_WITHIN_S))
        except OSError as error:
            raise HarnessError(f"{node}, port {port}: {error.strerror or error}") from error

    forwarding = Forwarding(connect, lambda why: click.echo(f"harness: {why}", err=True))
    try:
        server = await forwarding.listen(*place)
    except OSError as error:
        raise UsageError(f"--listen: {place[0]}:{place[1]}: {error.strerror or error}") from error
    over = told_to_end()
    async with server:
        host, at = server.sockets[0].getsockname()[:2]
        click.echo(f"port {port} of {node} is at {host}:{at} (http://{host}:{at}/) until Ctrl-C")
        try:
            await until_told(over, cluster)
        except ClusterGone as gone:
            click.echo(gone)


def _pid(cluster: Cluster, node: str) -> int:
    pid = cluster.engine.pid(node)
    if pid is None:
        raise HarnessError(f"{node} has no power")
    return pid


def _place(given: str) -> tuple[str, int]:
    host, colon, port = given.rpartition(":")
    with contextlib.suppress(ValueError):
        if colon and host and 0 <= int(port) < 65536:
            return host.strip("[]"), int(port)
    raise UsageError(f"--listen is {given!r}; it has to be HOST:PORT, such as 127.0.0.1:8000")
