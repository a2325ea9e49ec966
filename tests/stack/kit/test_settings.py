"""A configuration is UTF-8, whatever the locale of who reads it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
READERS = """
import sys
from pathlib import Path
from harness.stack.sfha.admin import founding
from harness.stack.kit.settings import compose

path = founding.CONFIG_PATH = Path(sys.argv[1])
print(ascii(compose(path).section("node").text("name")), ascii(founding.own_name()))
"""


def test_it_is_read_as_such_in_every_locale(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("# cœur, Ā, 日本\nnode:\n  name: n1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READERS, str(tmp_path / "config.yml")],
        cwd=ROOT, env=os.environ | ASCII, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "'n1' 'n1'\n"
