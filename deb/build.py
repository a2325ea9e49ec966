"""Builds ``sfha_VERSION_all.deb`` from the current source: `python -m deb.build`. The same source gives the same bytes.

Everything under ``deb/files`` goes in as it is; manual pages and completions are made from the command line's parser.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from deb.manual import manual_page
from harness.stack import VERSION
from harness.stack.cli.completion import bash, walk, zsh
from harness.stack.cli.example import EXAMPLE
from harness.stack.cli.main import ALL, parser_with
from harness.subjects.sfha.layer import WRAPPER

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT / "deb/files"
STACK = ROOT / "harness/stack"
UNITS = "usr/lib/systemd/system"
SCRIPTS = ("postinst", "prerm", "postrm")
CONFFILES = ("/etc/logrotate.d/sfha",)


class BuildError(Exception):
    """The package cannot be built; the message says why."""


def build(output: Path, version: str = VERSION, *, source: Path = STACK) -> Path:
    """Build the package of the stack in ``source`` into the directory ``output``; returns its path.

    Raises BuildError.
    """
    if not re.fullmatch(r"\d[A-Za-z0-9.+~]*", version):
        raise BuildError(f"{version!r} is not the version of a Debian package")
    if shutil.which("dpkg-deb") is None:
        raise BuildError("dpkg-deb is needed: build on a Debian system, or install dpkg")
    output.mkdir(parents=True, exist_ok=True)
    package = output / f"sfha_{version}_all.deb"
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "tree"
        _lay_out(tree, version, source)
        _write_control(tree, version)
        done = subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(_released_s())},
        )
    if done.returncode:
        raise BuildError(f"dpkg-deb failed: {done.stderr.strip()}")
    return package


def _lay_out(tree: Path, version: str, source: Path) -> None:
    """The files of the package."""
    for path in sorted(source.rglob("*.py")):
        _put(tree, f"usr/lib/sfha/harness/stack/{path.relative_to(source)}", path.read_bytes())
    _put(tree, "usr/bin/sfha", WRAPPER.encode(), 0o755)
    _put(tree, f"{UNITS}/sfha.service", _file("sfha.service"))
    _put(tree, f"{UNITS}/sfha-mesh.service", _file("sfha-mesh.service"))
    _put(tree, f"{UNITS}/corosync.service.d/sfha.conf", _file("corosync-after-mesh.conf"))
    _put(tree, "etc/logrotate.d/sfha", _file("logrotate"))
    _put(tree, "usr/share/doc/sfha/copyright", _file("copyright"))
    _put(tree, "usr/share/doc/sfha/changelog.gz", _compressed(_changelog(version)))
    _put(tree, "usr/share/doc/sfha/examples/config.yml", EXAMPLE.encode())
    date = datetime.fromtimestamp(_released_s()).astimezone().date().isoformat()
    _put(tree, "usr/share/man/man8/sfha.8.gz", _compressed(manual_page("en", version, date).encode()))
    _put(tree, "usr/share/man/fr/man8/sfha.8.gz", _compressed(manual_page("fr", version, date).encode()))
    places = list(walk(parser_with(ALL)))
    _put(tree, "usr/share/bash-completion/completions/sfha", bash(places).encode() + b"\n")
    _put(tree, "usr/share/zsh/vendor-completions/_sfha", zsh(places).encode() + b"\n")


def _write_control(tree: Path, version: str) -> None:
    """What dpkg reads: fields, checksums, configuration files and scripts."""
    installed = sorted(path for path in tree.rglob("*") if path.is_file())
    size_kib = sum(max(1, (path.stat().st_size + 1023) // 1024) for path in installed)
    control = _file("control").decode().format(version=version, size_kib=size_kib)
    checksums = "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in installed
        if f"/{path.relative_to(tree)}" not in CONFFILES
    )
    _put(tree, "DEBIAN/control", control.encode())
    _put(tree, "DEBIAN/md5sums", checksums.encode())
    _put(tree, "DEBIAN/conffiles", "".join(f"{path}\n" for path in CONFFILES).encode())
    for name in SCRIPTS:
        _put(tree, f"DEBIAN/{name}", _file(name), 0o755)


def _put(tree: Path, path: str, content: bytes, mode: int = 0o644) -> None:
    target = tree / path
    for parent in reversed(target.relative_to(tree).parents):
        directory = tree / parent
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)  # whatever the umask of whoever builds
    target.write_bytes(content)
    target.chmod(mode)


def _file(name: str) -> bytes:
    return (FILES / name).read_bytes()


def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=9, mtime=0)


def _changelog(version: str) -> bytes:
    text = _file("changelog").decode()
    newest = re.match(r"sfha \(([^)]+)\)", text)
    if newest is None:
        raise BuildError("deb/files/changelog does not begin with a version")
    if newest[1] != version:  # a build between releases says so
        head, *rest = text.partition("\n\n -- ")[0].splitlines()[:1], text
        dated = re.search(r"^ -- .*$", text, re.MULTILINE)
        assert dated is not None
        entry = f"{head[0].replace(newest[1], version)}\n\n  * Built from the current source.\n\n{dated[0]}\n\n"
        text = entry + rest[0]
    return text.encode()


def _released_s() -> int:
    """The date of the newest entry of the changelog: files get it, so that a package can be built again bit by bit."""
    dated = re.search(r"^ -- .*>  (.*)$", _file("changelog").decode(), re.MULTILINE)
    if dated is None:
        raise BuildError("deb/files/changelog has no date")
    return int(datetime.strptime(dated[1], "%a, %d %b %Y %H:%M:%S %z").timestamp())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build the Debian package of sfha.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="directory (default: dist)")
    parser.add_argument("--version", default=VERSION, help=f"version (default: {VERSION})")
    options = parser.parse_args()
    try:
        package = build(options.output, options.version)
    except BuildError as error:
        sys.stderr.write(f"deb: {error}\n")
        return 1
    sys.stdout.write(f"{package}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
