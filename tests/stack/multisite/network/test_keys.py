"""Keys on a disk; those that wg makes where there is wg."""

import json
import shutil
from pathlib import Path

import pytest

from harness.stack.kit.wireguard import WireGuardError, public_key_of
from harness.stack.multisite.network.keys import Keys

needs_wg = pytest.mark.skipif(shutil.which("wg") is None, reason="no wg here; scenarios/multisite/test_tunnels.py has")


def kept(path: Path, *, next_: bool) -> Path:
    one = {"private": "p1", "public": "k1", "generation": 3, "since_s": 5.0}
    path.write_text(json.dumps({"now": one, "next": one | {"private": "p2", "generation": 4} if next_ else None}))
    return path


@needs_wg
def test_the_first_is_made_and_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    made = Keys(path, 1.0).now
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_key_of(made.private) == made.public
    assert Keys(path, 2.0).now == made


@needs_wg
def test_the_next_is_another_one(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json", 1.0)
    keys.prepare(2, 2.0)
    assert keys.next is not None
    assert keys.next.private != keys.now.private


def test_a_change_is_kept_and_the_one_before_forgotten(tmp_path: Path) -> None:
    path = kept(tmp_path / "keys.json", next_=True)
    keys = Keys(path, 1.0)
    assert (keys.now.generation, keys.next is not None) == (3, True)
    keys.change(9.0)
    again = Keys(path, 10.0)
    assert (again.now.private, again.now.generation, again.now.since_s, again.next) == ("p2", 4, 9.0, None)
    assert "p1" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_prints_keys_prints_no_private_one(tmp_path: Path) -> None:
    keys = Keys(kept(tmp_path / "keys.json", next_=True), 1.0)
    assert "p1" not in f"{keys.now} {keys.now!r}"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"now": {}, "next": null}', '{"now": null, "next": null}'])
def test_a_file_without_keys_is_said_and_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(WireGuardError, match="does not hold keys"):
        Keys(path, 1.0)
    assert path.read_text() == content
