"""What a node has, told from its file and from what its storage engine was found to hold."""

import subprocess
import sys

import pytest

from harness.stack.dataservices.galera import core, state
from harness.stack.dataservices.galera.state import had, marks, position

HISTORY, OTHER = "8bcf4a34-aedb-14e5-bcc3-d3e36277729f", "11111111-aedb-14e5-bcc3-d3e36277729f"
GRASTATE = f"""# GALERA saved state
version: 2.1
uuid:    {HISTORY}
seqno:   -1
safe_to_bootstrap: 0
"""
RUNNING_LOG = f"""2026-03-01 10:00:00 0 [Note] InnoDB: Buffer pool(s) load completed
2026-03-01 10:00:01 0 [Note] WSREP: Recovered position: {HISTORY}:1717
"""


def test_marks_are_read_and_comments_are_not() -> None:
    assert marks(GRASTATE) == {"version": "2.1", "uuid": HISTORY, "seqno": "-1", "safe_to_bootstrap": "0"}


def test_the_last_position_that_is_said_counts() -> None:
    assert position(RUNNING_LOG) == (HISTORY, 1717)
    assert position(RUNNING_LOG + RUNNING_LOG.replace("1717", "1718")) == (HISTORY, 1718)
    assert position("[ERROR] Aborting") is None


def test_after_a_power_cut_the_engine_says_how_far_it_came() -> None:
    assert had(GRASTATE, (HISTORY, 1717), data=True, fresh=False) == {
        "uuid": HISTORY,
        "seqno": 1717,
        "safe_to_bootstrap": False,
        "has_data": True,
    }


@pytest.mark.parametrize(
    ("grastate", "recovered", "uuid", "seqno"),
    [
        # Stopped in good order: file and engine agree, or the engine has nothing to say and the file has.
        (GRASTATE.replace("seqno:   -1", "seqno:   42"), (HISTORY, 42), HISTORY, 42),
        (GRASTATE.replace("seqno:   -1", "seqno:   42"), None, HISTORY, 42),
        # Killed, and the engine did not say: nobody knows.
        (GRASTATE, None, HISTORY, -1),
        # Half of a copy of another one's data, or an engine that was put there by hand.
        (GRASTATE, (OTHER, 9), state.NO_UUID, -1),
        (GRASTATE.replace(HISTORY, state.NO_UUID), (HISTORY, 9), state.NO_UUID, -1),
        (None, (HISTORY, 9), state.NO_UUID, -1),
        (None, None, state.NO_UUID, -1),
    ],
)
def test_what_does_not_fit_together_is_no_history(
    grastate: str | None, recovered: tuple[str, int] | None, uuid: str, seqno: int
) -> None:
    found = had(grastate, recovered, data=True, fresh=False)
    assert (found["uuid"], found["seqno"], found["has_data"]) == (uuid, seqno, True)


def test_a_folder_that_was_made_for_a_cluster_that_never_began_has_nothing_to_lose() -> None:
    assert had(None, (state.NO_UUID, -1), data=True, fresh=True)["has_data"] is False
    assert had(GRASTATE, (HISTORY, 1), data=True, fresh=True)["has_data"] is True
    assert had(None, None, data=False, fresh=False)["has_data"] is False


def test_a_mark_is_told_as_it_is() -> None:
    assert (
        had(GRASTATE.replace("bootstrap: 0", "bootstrap: 1"), None, data=True, fresh=False)["safe_to_bootstrap"] is True
    )


def test_it_means_the_same_by_its_numbers_as_the_core_does() -> None:
    assert (state.NO_UUID, state.UNKNOWN_SEQNO) == (core.NO_UUID, core.UNKNOWN_SEQNO)


def test_it_stands_on_its_own() -> None:
    done = subprocess.run([sys.executable, "-I", state.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "galera_state.py has FOLDER" in done.stderr
