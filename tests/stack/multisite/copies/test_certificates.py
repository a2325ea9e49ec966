"""Whether certificates have changed is told without reading any of them."""

import os
from pathlib import Path

from harness.stack.multisite.copies.certificates import Certificates


def test_a_stamp_is_another_one_when_a_file_is(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, "internal")
    assert certificates.stamp() == frozenset()
    folder = tmp_path / "certificates/local/a.test"
    folder.mkdir(parents=True)
    (folder / "a.test.crt").write_text("one")
    first = certificates.stamp()
    assert first == certificates.stamp() != frozenset()
    os.utime(folder / "a.test.crt", ns=(1, 1))
    assert certificates.stamp() != first
    (folder / "a.test.key").write_text("two")
    assert {name for name, _ in certificates.stamp()} == set(certificates.read())
    (tmp_path / "last_clean.json").write_text("no certificate")
    assert {name for name, _ in certificates.stamp()} == set(certificates.read())
