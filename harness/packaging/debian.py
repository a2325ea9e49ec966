"""Builds ``PRODUCT_VERSION_all.deb`` from the current source: `python -m harness.packaging.debian PRODUCT`.

The same source gives the same bytes.
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

from harness.errors import HarnessError
from harness.packaging.manifest import Made, Manifest, manifest_of, products
from harness.packaging.program import SOURCE, command, library, program

ROOT = SOURCE.parents[1]


class BuildError(HarnessError):
    """The package cannot be built; the message says why."""


def build(product: str, output: Path, version: str | None = None, *, source: Path = SOURCE) -> Path:
    """Build the package of a product into the directory ``output``; returns its path.

    ``source`` is the folder harness/stack; without ``version`` it is the one that the source says.
    Raises BuildError and UsageError.
    """
    manifest = manifest_of(product)
    version = version or version_of(product, source)
    if not re.fullmatch(r"\d[A-Za-z0-9.+~]*", version):
        raise BuildError(f"{version!r} is not the version of a Debian package")
    if shutil.which("dpkg-deb") is None:
        raise BuildError("dpkg-deb is needed: build on a Debian system, or install dpkg")
    output.mkdir(parents=True, exist_ok=True)
    package = output / f"{manifest.name}_{version}_all.deb"
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "tree"
        _lay_out(tree, manifest, version, source)
        _write_control(tree, manifest, version)
        done = subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(_released_s(manifest))},
        )
    if done.returncode:
        raise BuildError(f"dpkg-deb failed: {done.stderr.strip()}")
    return package


def version_of(product: str, source: Path = SOURCE) -> str:
    """The version that the source of a product says. Raises BuildError."""
    text = (source / product / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise BuildError(f"{source / product}/__init__.py has no VERSION")
    return found[1]


def _lay_out(tree: Path, manifest: Manifest, version: str, source: Path) -> None:
    """The files of the package."""
    for path, content in program(manifest.product, source, manifest.name).items():
        _put(tree, path, content, 0o755 if path == command(manifest.name) else 0o644)
    for one in manifest.put:
        _put(tree, one.target, manifest.file(one.source))
    _put(tree, f"usr/share/doc/{manifest.name}/changelog.gz", _changelog(manifest, version))
    for made in manifest.made:
        _put(tree, made.target, _printed(tree, manifest, made, version))


def _printed(tree: Path, manifest: Manifest, made: Made, version: str) -> bytes:
    """What the program that was just laid out prints. Nothing of our own Python is taken for a part of it."""
    date = datetime.fromtimestamp(_released_s(manifest)).astimezone().date().isoformat()
    arguments = [word.format(version=version, date=date) for word in made.by]
    done = subprocess.run(
        [sys.executable, "-PB", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.defpath, "PYTHONPATH": str(tree / library(manifest.name)), "PYTHONUTF8": "1"},
    )
    if done.returncode:
        raise BuildError(f"{made.target}: the program does not print it:\n{done.stderr.strip()}")
    return done.stdout.encode()


def _write_control(tree: Path, manifest: Manifest, version: str) -> None:
    """What dpkg reads: fields, checksums, configuration files and scripts."""
    installed = sorted(path for path in tree.rglob("*") if path.is_file())
    size_kib = sum(max(1, (path.stat().st_size + 1023) // 1024) for path in installed)
    control = manifest.file("control").decode().format(version=version, size_kib=size_kib)
    checksums = "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in installed
        if f"/{path.relative_to(tree)}" not in manifest.configuration
    )
    _put(tree, "DEBIAN/control", control.encode())
    _put(tree, "DEBIAN/md5sums", checksums.encode())
    _put(tree, "DEBIAN/conffiles", "".join(f"{path}\n" for path in manifest.configuration).encode())
    for name in manifest.scripts:
        _put(tree, f"DEBIAN/{name}", manifest.file(name), 0o755)


def _put(tree: Path, path: str, content: bytes, mode: int = 0o644) -> None:
    target = tree / path
    for parent in reversed(target.relative_to(tree).parents):
        directory = tree / parent
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)  # whatever the umask of whoever builds
    if path.endswith(".gz"):
        content = gzip.compress(content, compresslevel=9, mtime=0)
    target.write_bytes(content)
    target.chmod(mode)


def _changelog(manifest: Manifest, version: str) -> bytes:
    text = manifest.file("changelog").decode()
    newest = re.match(rf"{manifest.name} \(([^)]+)\)", text)
    if newest is None:
        raise BuildError(f"{manifest.folder}/changelog does not begin with a version")
    if newest[1] != version:  # a build between releases says so
        head, *rest = text.partition("\n\n -- ")[0].splitlines()[:1], text
        dated = re.search(r"^ -- .*$", text, re.MULTILINE)
        assert dated is not None
        entry = f"{head[0].replace(newest[1], version)}\n\n  * Built from the current source.\n\n{dated[0]}\n\n"
        text = entry + rest[0]
    return text.encode()


def _released_s(manifest: Manifest) -> int:
    """The date of the newest entry of the changelog: files get it, so that a package can be built again bit by bit."""
    dated = re.search(r"^ -- .*>  (.*)$", manifest.file("changelog").decode(), re.MULTILINE)
    if dated is None:
        raise BuildError(f"{manifest.folder}/changelog has no date")
    return int(datetime.strptime(dated[1], "%a, %d %b %Y %H:%M:%S %z").timestamp())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="harness.packaging.debian", description="Build a Debian package.")
    parser.add_argument("product", choices=products())
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="directory (default: dist)")
    parser.add_argument("--version", help="version (default: the one that the source says)")
    options = parser.parse_args()
    try:
        package = build(options.product, options.output, options.version)
    except HarnessError as error:
        sys.stderr.write(f"deb: {error}\n")
        return 1
    sys.stdout.write(f"{package}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
