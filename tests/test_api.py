"""What suites import from ``harness``: all of it is there, nothing else is, and it costs nobody who does not ask."""

import subprocess
import sys
from pathlib import Path

import pytest

import harness
import harness.api


def test_every_public_name_can_be_imported() -> None:
    assert len(set(harness.__all__)) == len(harness.__all__) > 50
    for name in harness.__all__:
        assert getattr(harness, name) is getattr(harness.api, name)
    assert set(harness.__all__) <= set(dir(harness))


def test_what_is_not_public_is_not_there() -> None:
    assert not hasattr(harness, "import_everything")
    with pytest.raises(ImportError, match="cannot import name 'no_such_name' from 'harness'"):
        exec("from harness import no_such_name")


def test_modules_do_not_load_the_public_names() -> None:
    program = "import sys; from harness import clock, wait; import harness; sys.exit('harness.api' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_page_names_nothing_that_is_not_public() -> None:
    page = (Path(__file__).parents[1] / "docs/test-your-own-stack.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.strip().startswith("from harness import ")]
    assert lines
    for line in lines:
        names = {name.strip() for name in line.partition(" import ")[2].split(",")}
        assert names <= set(harness.__all__), line
