"""Where programs for the edge are found, and what is none."""

from pathlib import Path

import pytest

from harness.errors import HostError
from harness.subjects.multisite.program import ensure_layer, found, missing

NAME = "no-such-edge"


def test_what_is_not_there_is_said_with_what_brings_it(tmp_path: Path) -> None:
    told = f"there is no {NAME} beside this Python or in PATH: pip install {NAME}-bin"
    assert missing(NAME, f"{NAME}-bin") == told
    with pytest.raises(HostError, match="pip install"):
        ensure_layer(NAME, f"{NAME}-bin")


def test_a_script_is_no_program_and_what_is_in_path_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / NAME
    monkeypatch.setenv("PATH", str(tmp_path))
    place.write_bytes(b"#!/usr/bin/python3\n")
    place.chmod(0o755)
    assert found(NAME) is None
    place.write_bytes(b"\x7fELF and more")
    assert found(NAME) == place
    assert missing(NAME, "x") == ""
