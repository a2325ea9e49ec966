"""The harness names no product: whatever it knows of one is that product's subject."""

import re
from collections.abc import Iterator
from pathlib import Path

import harness

CORE = Path(harness.__file__).parent
MAY = ("stack", "subjects", "bench", "fixtures")
"""The products themselves, what is known of them, what measures some of them beside each other, and what ships."""
EXAMPLE = re.compile(r'\bexample="')
"""A fault's example is a command that its contract runs, on nodes that have that program."""
PRODUCTS = re.compile(
    r"sfha|corosync|pacemaker|keepalived|etcd|redis|valkey|nginx|haproxy|postgres|patroni|repmgr|rabbitmq|galera"
    r"|mariadb|mysql|minio|\bnats\b|seaweed|garage|drbd|linstor|proxmox|ceph",
    re.IGNORECASE,
)


def core() -> Iterator[Path]:
    for path in sorted(CORE.rglob("*")):
        inside = path.relative_to(CORE).parts
        of_a_product = inside[0] in MAY or (inside[0] == "packaging" and len(inside) > 2)
        if path.is_file() and not of_a_product and path.suffix not in {".pyc", ".xz"}:
            yield path


def test_no_file_of_the_core_names_a_product() -> None:
    files = list(core())
    assert len(files) > 100
    named = [
        f"{path.relative_to(CORE)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if PRODUCTS.search(line) and not (path.is_relative_to(CORE / "faults") and EXAMPLE.search(line))
    ]
    assert not named, "\n".join(named)


def test_a_name_would_be_found() -> None:
    assert PRODUCTS.search("Corosync's node id")
    assert any("subjects" in path.parts for path in CORE.rglob("*.py"))
