"""Which store for objects it is to be: what is set, or what is there; never another one than before."""

import pytest

from harness.stack.dataservices.programs.core import NotShownHere, SettingsWrong, setting_in, store_of


def test_where_nobody_said_which_it_is_the_first_that_is_there() -> None:
    assert store_of(None, {"seaweedfs"}, "") == "seaweedfs"
    assert store_of(None, {"seaweedfs", "minio"}, "") == "minio"


def test_what_is_set_stays_though_another_one_is_there_by_now() -> None:
    assert store_of("seaweedfs", {"seaweedfs", "minio"}, "") == "seaweedfs"
    with pytest.raises(NotShownHere, match=r"seaweedfs is set, and its program is not there \(in a folder\)"):
        store_of("seaweedfs", {"minio"}, "in a folder")


def test_where_there_is_none_that_is_said() -> None:
    with pytest.raises(NotShownHere, match=r"no program of an object store is there \(in a folder\)"):
        store_of(None, (), "in a folder")
    with pytest.raises(SettingsWrong, match="there is no store 'ceph'; there are minio, seaweedfs"):
        store_of("ceph", {"minio"}, "")


@pytest.mark.parametrize("text", ["", "STORE=\n", "STORE=minio\nSTORE=seaweedfs\n", "minio\n", "WHICH=minio\n"])
def test_a_file_of_settings_that_says_nothing_certain_is_refused(text: str) -> None:
    with pytest.raises(SettingsWrong, match=r"objects\.env: has to be one line"):
        setting_in(text, "objects.env")


def test_a_file_of_settings() -> None:
    assert setting_in("# whose objects these are\n\nSTORE=minio\n", "objects.env") == "minio"
