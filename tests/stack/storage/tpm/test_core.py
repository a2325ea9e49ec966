"""What keeps a folder from having the state of a TPM, each alone; and what is to be done to one that may."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.tpm.core import MODE, PROBE, Seen, steps, wrong

WELL = Seen("/srv/images/100/tpm-state", kind="folder", names=(".lock", "tpm2-00.permall", f"{PROBE}1"))
SICK = {
    "not known as a TPM's": replace(WELL, path="/srv/images/100/state"),
    "no folder": replace(WELL, kind="other"),
    "is it mounted": replace(WELL, kind="nothing", parent="nothing"),
    "no state of a TPM (disk, photo)": replace(WELL, names=("tpm2-00.permall", "photo", "disk")),
    "second swtpm": replace(WELL, users=("swtpm (process 5)",)),
    "user 7's": replace(WELL, owner=7, asking=8),
    "mounted read-only": replace(WELL, read_only=True),
    "make room": replace(WELL, free_bytes=4096),
    "/dev/nbd3 cannot be read (Input/output error)": replace(
        WELL, device="/dev/nbd3", device_error="Input/output error"
    ),
}


@pytest.mark.promise("S5-15")
@pytest.mark.parametrize("said", SICK)
def test_it_is_said_in_it_alone(said: str) -> None:
    assert [said in one for one in wrong(SICK[said])] == [True]


@given(st.integers(0, 0o7777), st.sampled_from(["nothing", "folder"]), st.sampled_from([0, 7]))
def test_a_folder_that_may_is_made_or_made_private_and_else_left(mode: int, kind: str, asking: int) -> None:
    seen = replace(WELL, mode=mode, kind=kind, names=(), owner=7, asking=asking)  # type: ignore[arg-type]
    assert list(wrong(seen)) == []
    assert steps(seen) == (("make",) if kind == "nothing" else () if mode == MODE else ("make private",))
