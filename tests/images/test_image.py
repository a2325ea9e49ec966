"""The real image: complete, quiet, and gone with its builder when that is killed half-way."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.images import ensure_image, image_called
from harness.images.definition import find_definition, load_definition
from harness.images.program_layer import ensure_program_layer
from harness.wait import until

BUILD_IMAGE = "from harness.images import ensure_image; ensure_image()"
RUN_SFHA = """mount -t overlay overlay -o "ro,lowerdir=$1:$2" "$3"
mount -t proc proc "$3/proc"
exec chroot "$3" sfha hello
"""
PROGRAM = """import sys
name = open("/proc/self/comm").read().strip()
print(f"{sys.argv[1]}, safe path {sys.flags.safe_path}, called {name}")
"""
MAGIC_NUMBER = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"


@pytest.fixture(scope="module")
def image() -> Path:
    return ensure_image()


def processes_naming(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # ended meanwhile
    return found


def test_it_has_every_package_and_starts_none(image: Path) -> None:
    installed = {line.split()[0] for line in (image.parent / "packages.txt").read_text().splitlines()}
    assert set(load_definition(find_definition("node")).packages) <= installed
    assert list(image.glob("etc/systemd/system/*.wants/*")) == []
    assert list(image.glob("etc/rc?.d/S*")) == []
    assert (image / "usr/sbin/policy-rc.d").read_text().endswith("exit 101\n")
    assert list(image.glob("usr/share/man/*/*")) == []


def test_a_directory_called_as_a_definition_is_in_nobodys_way(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node/usr").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert image_called("node") == image
    assert image_called("./node") == tmp_path / "node"


def test_what_it_offers_is_not_installed_but_lies_ready() -> None:
    image = ensure_image("systemd-trixie")
    offered = set(load_definition(find_definition("systemd-trixie")).offered)
    installed = {line.split()[0] for line in (image.parent / "packages.txt").read_text().splitlines()}
    index = (image / "srv/packages/Packages").read_text()
    assert offered & installed == set()
    assert offered <= {line.removeprefix("Package: ") for line in index.splitlines() if line.startswith("Package: ")}
    files = {line.removeprefix("Filename: ") for line in index.splitlines() if line.startswith("Filename: ")}
    assert files == {f"./{path.name}" for path in (image / "srv/packages").glob("*.deb")}
    assert (image / "etc/apt/sources.list").read_text() == "deb [trusted=yes] file:/srv/packages ./\n"


async def test_a_builder_killed_half_way_leaves_no_process_and_no_mount(tmp_path: Path) -> None:
    builder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        BUILD_IMAGE,
        env={**os.environ, "HARNESS_CACHE": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    await until(lambda: list(tmp_path.glob("images/.unfinished-*/rootfs/etc")), within_s=20, what="a build under way")
    assert processes_naming(str(tmp_path))
    builder.kill()
    await builder.wait()
    await until(lambda: not processes_naming(str(tmp_path)), within_s=5, what="all it started has ended")
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_the_stack_is_compiled_by_the_python_of_the_image(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "stack"
    (source / "sfha" / "tests").mkdir(parents=True)
    (source / "sfha" / "tests" / "test_x.py").touch()
    (source / "sfha" / "__init__.py").touch()
    (source / "sfha" / "__main__.py").write_text(PROGRAM)
    layer = ensure_program_layer(image, "sfha", source=source)
    assert ensure_program_layer(image, "sfha", source=source) == layer
    package = layer / "usr/lib/sfha/sfha"
    assert sorted(path.name for path in package.iterdir()) == ["__init__.py", "__main__.py", "__pycache__"]
    magic = subprocess.run(["chroot", image, "python3", "-c", MAGIC_NUMBER], capture_output=True, text=True, check=True)
    for compiled in package.glob("__pycache__/*.pyc"):
        header = compiled.read_bytes()[:8]
        assert header[:4].hex() == magic.stdout.strip()
        assert header[4] == 1, "found by the hash of its source, and not checked against it (PEP 552)"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-euc", RUN_SFHA, "sh", layer, image, tmp_path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "hello, safe path True, called sfha\n"
    assert (layer / "usr/bin/sfha").stat().st_mode & 0o777 == 0o755
    (source / "sfha" / "__main__.py").write_text("print('changed')\n")
    assert ensure_program_layer(image, "sfha", source=source) != layer


def test_an_image_is_for_all_users_whatever_our_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "small.toml").write_text('suite = "trixie"\nvariant = "essential"\npackages = ["base-files"]\n')
    before = os.umask(0o077)
    try:
        root = ensure_image(str(tmp_path / "small.toml"))
    finally:
        os.umask(before)
    closed = [path for name in ("", "usr", "usr/bin", "etc", "var", "var/lib", "tmp") for path in (root / name,)]
    assert [str(path) for path in closed if path.stat().st_mode & 0o005 != 0o005] == []


def test_a_stack_that_does_not_compile_is_a_clear_error(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "sfha").mkdir()
    (tmp_path / "sfha" / "__main__.py").write_text("def broken(:\n")
    with pytest.raises(Exception, match=r"does not compile(.|\n)*__main__\.py(.|\n)*SyntaxError"):
        ensure_program_layer(image, "sfha", source=tmp_path)
