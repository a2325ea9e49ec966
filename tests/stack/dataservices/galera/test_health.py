"""Whether a node may be used, from what it says of itself; and that it is asked each time."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest

from harness.stack.dataservices.galera import health
from harness.stack.dataservices.galera.health import Server, handler_of, why_not

WELL = {"wsrep_ready": "ON", "wsrep_cluster_status": "Primary", "wsrep_local_state": "4", "read_only": "0"}


def test_a_node_that_is_well_is_written_to_and_read() -> None:
    for word in ("0", "OFF"):  # of an older MariaDB, and of one that has several ways to be read only
        assert why_not("/writer", WELL | {"read_only": word}) == why_not("/reader", WELL) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("wsrep_ready", "OFF"), ("wsrep_cluster_status", "non-Primary"), ("wsrep_cluster_status", "Disconnected")),
        *(("wsrep_local_state", state) for state in ("0", "1", "3", "5")),
    ],
)
@pytest.mark.parametrize("path", ["/writer", "/reader"])
def test_one_word_is_enough_for_no(path: str, name: str, value: str) -> None:
    assert why_not(path, WELL | {name: value})


def test_a_donor_is_written_to_and_not_read_and_who_is_read_only_the_other_way_round() -> None:
    donor = WELL | {"wsrep_local_state": "2"}
    assert (why_not("/writer", donor), bool(why_not("/reader", donor))) == ("", True)
    for word in ("1", "ON", "NO_LOCK"):
        read_only = WELL | {"read_only": word}
        assert (bool(why_not("/writer", read_only)), why_not("/reader", read_only)) == (True, "")


def test_who_says_nothing_is_not_used() -> None:
    for path in ("/writer", "/reader"):
        assert why_not(path, {})
    assert why_not("/", WELL)


class NodeInMemory:
    """A node that is as it was said to be last; None: it does not answer."""

    def __init__(self) -> None:
        self.now: Mapping[str, str] | None = WELL

    def status(self) -> Mapping[str, str]:
        """See Node."""
        if self.now is None:
            raise ConnectionError("MariaDB does not answer")
        return self.now


def test_it_is_asked_anew_each_time() -> None:
    node = NodeInMemory()
    with Server(("127.0.0.1", 0), handler_of(node)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            said = []
            for now in (WELL, WELL | {"wsrep_ready": "OFF"}, None, WELL):
                node.now = now
                asking = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
                asking.request("GET", "/writer")
                answer = asking.getresponse()
                said.append((answer.status, answer.read().decode()))
                asking.close()
        finally:
            server.shutdown()
            thread.join()
    assert said == [(200, "yes\n"), (503, "is not ready\n"), (503, "MariaDB does not answer\n"), (200, "yes\n")]


def test_it_stands_on_its_own() -> None:
    done = subprocess.run([sys.executable, "-I", health.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Usage:" in done.stderr
