"""A bundle of a host on which secrets lie everywhere: none of them is in it, and what helps is."""

import base64
import gzip
import json
import os
import stat
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.stack.kit.command_line import FAILED
from harness.stack.storage.bundle.making import make
from harness.stack.storage.bundle.parts import Wanted
from harness.stack.storage.cli import main
from harness.stack.storage.daemon.audit import AuditLog
from harness.stack.storage.daemon.log import LineLog
from harness.stack.storage.daemon.tokens import Role, Tokens
from harness.stack.storage.mapping.record import Record, Stage
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.moves.running import begin
from harness.stack.storage.places import Places

CANARY = "canary-"
"""In the name of each secret, so that also one that was changed a little is found."""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "state", tmp_path / "run")


def content(file: Path) -> dict[str, str]:
    with tarfile.open(file) as bundle:
        return {
            one.name.partition("/")[2]: bundle.extractfile(one).read().decode()  # type: ignore[union-attr]
            for one in bundle.getmembers()
        }


def planted(tmp_path: Path, places: Places) -> dict[str, str | bytes]:
    """Where -> what is there; each a secret of its own."""
    key, hook, typo, why, said, block = (
        f"{CANARY}{name}-5up3r" for name in ("key", "hook", "typo", "why", "said", "block")
    )
    (tmp_path / "cluster.key").write_text(key + "\n")
    (tmp_path / "config.yml").write_text(
        f"# my password is {CANARY}comment-5up3r\nlevel: 3\napi: {{listen: '127.0.0.1:9'}}\npasswort: {typo}\n"
        f"alerts: {{routes: [{{to: 'https://me:{CANARY}user-5up3r@hooks.example/T0/{hook}'}}]}}\n"
        f"cluster: {{name: n1, key_file: {tmp_path / 'cluster.key'}, {CANARY}name-5up3r: 1}}\n"
    )
    token = Tokens(places.state / "daemon/tokens.json").create("anna", Role.admin)
    original = (block.encode() * 400)[:4096]
    record = Record("/srv/disk-7", "/srv/disk-7", 3, Stage.PROVING, "nbd-client", "boot", b"n" * 4096, original, 0)
    Records(places.mappings).write(record)
    audit = AuditLog(places.state / "daemon")
    audit.write("anna", "approved", f"with password: {why}", header=f"Bearer {token}", typo=typo)
    with open(tmp_path / "daemon.log", "w") as file:
        LineLog(file)("not told", to=f"https://hooks.example/T0/{hook}", error=f"refused {key}", token=said)
        LineLog(file)("started", argument=f"--api-key {said}", level=3)
    return {
        "token": token,
        "digest": next(iter(Tokens(places.state / "daemon/tokens.json").every())),
        "block": original,
    }


@pytest.mark.promise("S5-90")
def test_no_secret_is_in_it_and_what_helps_is(tmp_path: Path, places: Places) -> None:
    secrets = planted(tmp_path, places)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/disk").write_bytes(b"\x5a" * 8192)
    begin(places, tmp_path / "a/disk", tmp_path / "disk", lambda _: None, grace_s=0)
    wanted = Wanted(places, tmp_path / "config.yml", 6.0, (tmp_path / "daemon.log",))
    listed = make(tmp_path / "b.tar.gz", wanted)
    found = content(tmp_path / "b.tar.gz")
    everything = gzip.decompress((tmp_path / "b.tar.gz").read_bytes())
    for secret in (CANARY, *secrets.values()):
        raw = secret if isinstance(secret, bytes) else secret.encode()
        for form in (raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), quote(raw).encode()):
            assert form not in everything, secret
    assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600
    # What somebody needs who was not there.
    assert json.loads(found["settings.json"])["settings"]["level"] == 3
    assert "https://hooks.example" in found["settings.json"]
    mapped = json.loads(found["mappings.json"])["records"]
    assert [(one["volume"], one["index"], one["stage"]) for one in mapped] == [("/srv/disk-7", 3, "proving")]
    assert json.loads(found["tokens.json"]) == [{"name": "anna", "role": "admin"}]
    assert json.loads(found["audit-verification.json"])["whole"] is True
    assert json.loads(found["audit.jsonl"].splitlines()[0])["what"] == "approved"
    assert json.loads(found["preflight.json"])["total"] > 20
    assert json.loads(found["versions.json"])["kernel"] == os.uname().release
    assert "/proc/self/mountinfo" in found["kernel.txt"]
    assert '"event": "started"' in found["log/daemon.jsonl"]
    assert "https://hooks.example" in found["log/daemon.jsonl"]
    journals = [name for name in found if name.startswith("moves/")]
    assert len(journals) == 1
    assert '"phase":"done"' in found[journals[0]]
    assert isinstance(json.loads(found["incidents.json"]), list)
    assert {one["name"] for one in listed["parts"]} | {"contents.json"} == set(found)  # type: ignore[attr-defined]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]


def test_a_change_of_the_audit_log_is_told(tmp_path: Path, places: Places) -> None:
    audit = AuditLog(places.state / "daemon")
    for word in ("one", "two", "three"):
        audit.write("anna", word)
    log = places.state / "daemon/audit.log"
    log.write_bytes(log.read_bytes().replace(b'"two"', b'"twe"'))
    make(tmp_path / "b.tar.gz", Wanted(places, tmp_path / "none.yml", 1.0))
    verified = json.loads(content(tmp_path / "b.tar.gz")["audit-verification.json"])
    assert verified["whole"] is False
    assert verified["faults"][0]["line"] == 2


def test_it_is_bounded_and_keeps_the_newest(tmp_path: Path, places: Places) -> None:
    with open(tmp_path / "daemon.log", "w") as file:
        for number in range(3000):
            LineLog(file)("looked", number=number)
    wanted = Wanted(places, tmp_path / "none.yml", 1.0, (tmp_path / "daemon.log",))
    make(tmp_path / "b.tar.gz", wanted, most_bytes=20_000)
    found = content(tmp_path / "b.tar.gz")
    assert max(len(text) for text in found.values()) <= 20_000
    assert '"number": 2999' in found["log/daemon.jsonl"]
    assert '"number": 0}' not in found["log/daemon.jsonl"]
    assert any(one["cut"] for one in json.loads(found["contents.json"])["parts"])


def test_what_is_older_than_asked_for_is_not_in_it(tmp_path: Path, places: Places) -> None:
    old = '{"at": "2020-01-01T00:00:00.000+00:00", "event": "long ago"}\n  of it\n'
    with open(tmp_path / "daemon.log", "w") as file:
        file.write(old)
        LineLog(file)("now")
    make(tmp_path / "b.tar.gz", Wanted(places, tmp_path / "none.yml", 1.0, (tmp_path / "daemon.log",)))
    log = content(tmp_path / "b.tar.gz")["log/daemon.jsonl"]
    assert '"event": "now"' in log
    assert "long ago" not in log
    assert "of it" not in log


def test_a_part_that_cannot_be_had_keeps_no_other_back(tmp_path: Path, places: Places) -> None:
    (places.state / "daemon").mkdir(parents=True)
    (places.state / "daemon/tokens.json").write_text(f"{{{CANARY}")
    arguments = ["--state", str(places.state), "--run", str(places.run), "bundle", str(tmp_path / "b.tar.gz")]
    assert main.main([*arguments, "--config", str(tmp_path / "none.yml")]) == 3
    found = content(tmp_path / "b.tar.gz")
    assert "it could not be had: JSONDecodeError" in found["tokens.json"]
    assert CANARY not in found["tokens.json"]
    assert "kernel.txt" in found
    assert main.main([*arguments, "--config", str(tmp_path / "none.yml")]) == FAILED, "nothing is overwritten"


def test_settings_that_are_no_yaml_are_not_shown(tmp_path: Path, places: Places) -> None:
    (tmp_path / "config.yml").write_text(f"level: [3\npassword: {CANARY}x")
    make(tmp_path / "b.tar.gz", Wanted(places, tmp_path / "config.yml", 1.0))
    found = content(tmp_path / "b.tar.gz")
    assert "cannot be understood" in found["settings.json"]
    assert not [name for name, text in found.items() if CANARY in text]
