"""The locked requirements: complete, hashed, and naming no host."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.txt").read_text()


def locked() -> set[str]:
    return {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["project"]["optional-dependencies"]["multisite"],
        *project["build-system"]["requires"],
    ]
    assert {re.split(r"[\s<>=!~\[;]", name)[0].lower() for name in wanted} <= locked()


def test_every_line_is_a_pinned_version_with_hashes() -> None:
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in LOCK.splitlines() if not line.startswith("#")).strip())
    assert len(entries) > 20
    for entry in entries:
        assert re.fullmatch(r"[\w.\[\]-]+==[\w.]+(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry[
            :80
        ]


def test_no_host_option_or_path_is_named() -> None:
    assert not re.findall(r"://|^-|@ |^/|file:", LOCK, re.MULTILINE)
