"""What is understood of MooseFS's own tools, and what is refused before they are called."""

import json
from pathlib import Path

import pytest

from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.tiering.classes import _COUNTED, mount_for, read
from harness.stack.storage.tiering.core import StorageClass


def state(copies: int, checksums: int = 0, fulfilled: int = 3) -> dict[str, int]:
    return {"full_copies": copies, "ec_chksum_parts": checksums, "can_be_fulfilled": fulfilled}


def said(**classes: dict[str, dict[str, int]]) -> str:
    rows = [{"sclassname": name, "storage_modes": states} for name, states in classes.items()]
    return json.dumps({"dataset": {"storage_classes": rows}})


def test_a_class_has_as_many_copies_as_in_its_poorest_state_that_anybody_reads() -> None:
    text = said(
        two={"keep": state(2)},
        parts={"keep": state(3), "arch": state(0, 1)},
        created={"create": state(1), "keep": state(3)},
        trashed={"keep": state(2), "trash": state(1)},
        full={"keep": state(3, fulfilled=1)},
    )
    assert dict(read(text)) == {
        "two": StorageClass("two", 2),
        "parts": StorageClass("parts", 2),
        "created": StorageClass("created", 1),
        "trashed": StorageClass("trashed", 2),
        "full": StorageClass("full", 3, fulfilled=False),
    }


@pytest.mark.parametrize("text", ["", "{}", '{"dataset": {"storage_classes": [{"sclassname": "a"}]}}', said(a={})])
def test_what_is_not_understood_is_no_class_without_copies(text: str) -> None:
    with pytest.raises(PortFailed, match="not understood"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "/m:\n       files with storage class : 2CP :          3\n directories with storage class : 2CP :          1\n",
        "/m:\n files with storage class : 2CP :\n  count : 3\n directories with storage class : 2CP :\n  count : 1\n",
    ],
)
def test_all_classes_in_a_folder(text: str) -> None:
    assert _COUNTED.findall(text) == [("2CP", "3"), ("2CP", "1")]


def test_only_a_moosefs_has_classes(tmp_path: Path) -> None:
    with pytest.raises(PortFailed, match="is not on a MooseFS"):
        mount_for(tmp_path)
