"""An agent in a network namespace of this host's kernel: what there is to be asked of a node, without the node."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.engines.uml.guest import agent
from harness.engines.uml.guest.links import ADDRESS, PORT
from harness.fabric.namespaces import call_in


@contextmanager
def agent_in(namespace: Path) -> Iterator[None]:
    """Answers there, where a node's agent would."""
    for words in ("link set lo up", f"address add {ADDRESS}/32 dev lo"):
        subprocess.run(["nsenter", f"--net={namespace}", "ip", *words.split()], check=True)
    listener = call_in(namespace, lambda: socket.create_server((ADDRESS, PORT)))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                # A thread begins in the namespace of the one that started it: so it is the agent's, too.
                threading.Thread(target=agent.attend, args=(connection,), daemon=True).start()

    threading.Thread(target=lambda: call_in(namespace, serve), daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
