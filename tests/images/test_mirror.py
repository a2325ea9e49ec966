"""The mirror is taken from what apt is configured with, whatever that looks like."""

import shutil
from pathlib import Path

import pytest

from harness.errors import HostError, UsageError
from harness.images import mirror
from harness.images.mirror import IndexTarget, choose_archive, find_mirror, parse_index_targets, signed_by

PARAGRAPHS = """\
MetaKey: main/binary-amd64/Packages
Description: http://deb.example/debian bookworm-updates/main amd64 Packages
Label: Debian
Origin: Debian
Component: main
Release: bookworm-updates
Site: http://deb.example/debian
Sourcesentry: /etc/apt/sources.list.d/debian.sources:1

MetaKey: main/binary-amd64/Packages
Label: Debian-Security
Origin: Debian
Component: main
Release: bookworm-security
Site: http://deb.example/debian-security
Sourcesentry: /etc/apt/sources.list.d/debian.sources:7
"""

DEB822 = """\
# The archive
Types: deb
URIs: http://deb.example/debian
Suites: bookworm
Signed-By: /keys/one.gpg

Types: deb
URIs: http://other.example
"""


def target(url: str, release: str = "bookworm", origin: str = "", label: str = "") -> IndexTarget:
    return IndexTarget(url, release, origin, label, "main", "")


def test_paragraphs_are_read() -> None:
    updates, security = parse_index_targets(PARAGRAPHS)
    assert updates.url == "http://deb.example/debian"
    assert updates.source_entry == "/etc/apt/sources.list.d/debian.sources:1"
    assert security.label == "Debian-Security"
    assert parse_index_targets("") == ()


def test_the_archive_is_told_from_security_and_others() -> None:
    main = target("http://a/debian", origin="Debian", label="Debian")
    updates = target("http://b/debian", "bookworm-updates", "Debian", "Debian")
    security = target("http://c/debian-security", "bookworm-security", "Debian", "Debian-Security")
    other = target("https://d/debian", "bookworm", "NodeSource", "NodeSource")
    assert choose_archive((other, security, updates, main)) == main
    assert choose_archive((other, security, updates)) == updates
    assert choose_archive((other, security)) is None


@pytest.mark.parametrize(
    ("url", "is_archive"),
    [
        ("http://deb.example/debian", True),
        ("http://snapshot.example/archive/debian/20250520T000000Z", True),
        ("mirror+file:/etc/apt/mirrors/debian.list", True),
        ("http://deb.example/debian-security", False),
        ("http://deb.example/ubuntu", False),
        ("cdrom:[Debian GNU/Linux]/debian", False),
    ],
)
def test_before_lists_were_fetched_the_address_tells(url: str, is_archive: bool) -> None:
    assert (choose_archive((target(url),)) is not None) == is_archive


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (DEB822, 2, "/keys/one.gpg"),
        (DEB822, 7, None),
        ("deb [arch=amd64 signed-by=/keys/two.gpg] http://x bookworm main\n", 1, "/keys/two.gpg"),
        ("deb http://x bookworm main\n", 1, None),
        ("", 3, None),
    ],
)
def test_the_key_of_a_source_is_found(text: str, line: int, key: str | None) -> None:
    assert signed_by(text, line) == key


def test_a_given_mirror_and_keyring_are_taken_as_they_are(tmp_path: Path) -> None:
    keyring = tmp_path / "key.gpg"
    keyring.touch()
    found = find_mirror("http://mine.example/debian/", keyring)
    assert (found.url, found.keyrings) == ("http://mine.example/debian", (keyring,))
    with pytest.raises(UsageError, match=r"no\.gpg: there is no such file"):
        find_mirror("http://mine.example/debian", tmp_path / "no.gpg")


def test_a_host_without_apt_is_told_what_to_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match=r"has no apt-get.*--mirror URL --keyring FILE"):
        find_mirror()


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")
def test_this_host_has_a_mirror() -> None:
    found = find_mirror()
    assert found.url.startswith(("http", "file:", "copy:"))
    assert all(path.is_file() for path in found.keyrings)


def test_a_list_of_mirrors_gives_its_first(tmp_path: Path) -> None:
    path = tmp_path / "debian.list"
    path.write_text("# comment\nhttps://deb.example/debian priority:1\n")
    assert mirror._first_of_list(f"mirror+file:{path}") == "https://deb.example/debian"
    with pytest.raises(HostError, match="cannot be read"):
        mirror._first_of_list("mirror+file:///nowhere/x.list")
