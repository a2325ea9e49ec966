"""What lies over what, in an archive."""

import io
import os
import tarfile
from pathlib import Path

from harness.images.archive import write_archive


def written(*places: Path) -> tarfile.TarFile:
    output = io.BytesIO()
    write_archive(places, output)
    return tarfile.open(fileobj=io.BytesIO(output.getvalue()))


def test_each_path_is_there_once_and_is_that_of_the_upper_place(tmp_path: Path) -> None:
    below, above = tmp_path / "below", tmp_path / "above"
    for place, given in ((below, ("etc/a", "etc/b")), (above, ("etc/b", "usr/bin/c"))):
        for name in given:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(f"{place.name} {name}")
    (above / "etc").chmod(0o711)
    (below / "link").symlink_to("etc/a")
    os.link(below / "etc/a", below / "etc/same")
    archive = written(below, above)
    names = archive.getnames()
    assert sorted(names) == ["etc", "etc/a", "etc/b", "etc/same", "link", "usr", "usr/bin", "usr/bin/c"]
    file = archive.extractfile("etc/b")
    assert file is not None
    assert file.read() == b"above etc/b"
    assert archive.getmember("etc").mode == 0o711
    assert archive.getmember("link").linkname == "etc/a"
    assert archive.getmember("etc/same").islnk()
    assert {one.uname for one in archive.getmembers()} == {""}


def test_the_same_places_give_the_same_archive(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).mkdir()
    first, second = io.BytesIO(), io.BytesIO()
    write_archive([tmp_path], first)
    write_archive([tmp_path], second)
    assert first.getvalue() == second.getvalue()
