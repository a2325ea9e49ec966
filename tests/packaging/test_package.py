"""What is in the package, before it is installed anywhere."""

import configparser
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

import harness
from harness.packaging.debian import BuildError, build
from harness.packaging.manifest import FOLDER
from harness.packaging.program import program
from harness.stack.sfha import VERSION
from harness.stack.sfha.cli.manual import manual_page

PROMISED_SANDBOX = {"PrivateTmp": "no", "ProtectHome": "no", "RestrictNamespaces": "no"}
NEEDS_A_NAMESPACE = {
    "ProtectSystem", "PrivateDevices", "PrivateNetwork", "PrivateUsers", "ProtectKernelTunables", "PrivateMounts",
    "ProtectKernelModules", "ProtectControlGroups", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths",
    "ProtectProc", "RootDirectory", "BindPaths", "TemporaryFileSystem", "ProtectHostname", "ProtectKernelLogs",
}  # fmt: skip


@pytest.fixture(scope="module")
def content(package: Path) -> dict[str, bytes]:
    """Path -> bytes of every file in it."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            assert member.uid == member.gid == 0
            assert not member.mode & 0o022, f"{member.name} is writable for others"
            file = archive.extractfile(member)
            if file is not None:
                found[member.name.removeprefix("./")] = file.read()
    return found


def field(package: Path, name: str) -> str:
    return subprocess.run(
        ["dpkg-deb", "--field", str(package), name], capture_output=True, text=True, check=True
    ).stdout


def unit(content: dict[str, bytes], name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment] # systemd's names have capitals
    parser.read_string(content[f"usr/lib/systemd/system/{name}"].decode())
    return parser


def test_it_holds_the_current_source_whole(content: dict[str, bytes], source: Path) -> None:
    expected = {path: data for path, data in program("sfha", source).items() if path.startswith("usr/lib/sfha/")}
    assert {path: data for path, data in content.items() if path.startswith("usr/lib/sfha/")} == expected
    kit = {f"usr/lib/sfha/sfha/kit/{path.relative_to(source / 'kit')}": path for path in source.glob("kit/**/*.py")}
    own = {f"usr/lib/sfha/sfha/{path.relative_to(source / 'sfha')}": path for path in source.glob("sfha/**/*.py")}
    assert set(expected) == set(kit) | set(own)
    for path, file in {**kit, **own}.items():
        source_lines, lines = file.read_bytes().splitlines(), expected[path].splitlines()
        changed = [(a, b) for a, b in zip(source_lines, lines, strict=True) if a != b]
        assert all(b == a.replace(b"from .", b"from ", 1) and b".kit" in a for a, b in changed), path


def test_versions_agree(package: Path) -> None:
    assert field(package, "Version").strip() == VERSION == harness.__version__
    assert package.name == f"sfha_{VERSION}_all.deb"


def test_the_unit_is_as_promised(content: dict[str, bytes]) -> None:
    sections = unit(content, "sfha.service")
    assert "corosync.service" in sections["Unit"]["Wants"].split()
    assert sections["Unit"]["ConditionPathExists"] == "/etc/sfha/config.yml"
    service = sections["Service"]
    assert service["Restart"] == "on-failure"
    assert {name: service[name] for name in PROMISED_SANDBOX} == PROMISED_SANDBOX
    assert not NEEDS_A_NAMESPACE & set(service), "a container may refuse a mount namespace"
    assert service["KillSignal"] == "SIGTERM"
    assert service["ExecReload"].endswith("-HUP $MAINPID")
    assert service["KillMode"] == "process", "the others are Corosync and the tunnel"


def test_nothing_in_it_restarts_corosync(content: dict[str, bytes]) -> None:
    scripts = [path.read_text() for path in (FOLDER / "sfha").glob("p*[tm]")]
    units = [data.decode() for path, data in content.items() if "/systemd/" in path]
    for text in (*scripts, *units):
        assert "restart corosync" not in text
        assert "stop corosync" not in text
    for relation in ("Requires", "BindsTo", "PartOf", "Conflicts"):
        assert relation not in unit(content, "sfha.service")["Unit"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_understands_the_units(content: dict[str, bytes], tmp_path: Path) -> None:
    for path, data in content.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
        (tmp_path / path).chmod(0o755 if path.startswith("usr/bin") else 0o644)
    kill = tmp_path / "bin/kill"
    kill.parent.mkdir()
    kill.touch(0o755)
    units = [str(tmp_path / "usr/lib/systemd/system" / name) for name in ("sfha.service", "sfha-mesh.service")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={tmp_path}", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "sfha" in line]
    assert said == [], done.stderr


def test_dependencies_are_in_the_node_image_and_so_in_debian(package: Path) -> None:
    from harness.images import ensure_image

    installed = {line.split()[0] for line in (ensure_image().parent / "packages.txt").read_text().splitlines()}
    wanted = {one.split()[0] for one in f"{field(package, 'Depends')},{field(package, 'Recommends')}".split(",")}
    assert wanted - {""} <= installed


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is not installed here")
def test_lintian_has_nothing_to_say(package: Path) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", str(package)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_same_source_gives_the_same_package(package: Path, source: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        again = build("sfha", tmp_path, source=source)
    finally:
        os.umask(before)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def test_a_version_that_debian_would_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is not the version"):
        build("sfha", tmp_path, "latest")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_manual_is_complete_and_free_of_roff_mistakes(
    language: str, content: dict[str, bytes], tmp_path: Path
) -> None:
    path = "usr/share/man/man8/sfha.8.gz" if language == "en" else "usr/share/man/fr/man8/sfha.8.gz"
    page = gzip.decompress(content[path]).decode()
    assert page == manual_page(language, VERSION, page.split('"')[1])  # type: ignore[arg-type]
    for command in ("status", "logs", "config\\-check"):
        assert f".SS sfha {command}" in page
    if shutil.which("man") is not None:
        (tmp_path / "sfha.8").write_text(page)
        done = subprocess.run(
            ["man", "--warnings=mac", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(tmp_path / "sfha.8")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""},
        )
        assert done.stderr.replace("running with root privileges is not recommended!", "").strip() == ""
