"""The program as it is installed: one package of the product's name, with a kit of its own inside."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.packaging.manifest import manifest_of, products
from harness.packaging.program import library, module, program

IMPORT_ALL = """
import importlib, pkgutil, sys
product = importlib.import_module(sys.argv[1])
for one in pkgutil.walk_packages(product.__path__, f"{product.__name__}."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
print(*sorted({name.partition(".")[0] for name in sys.modules if name.startswith(("harness", "kit", sys.argv[1]))}))
"""


def laid_out(tree: Path, product: str) -> Path:
    name = manifest_of(product).name
    for path, content in program(product, name=name).items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return tree / library(name)


@pytest.mark.parametrize("product", products())
def test_every_module_can_be_imported_by_the_products_name_alone(product: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-PB", "-c", IMPORT_ALL, module(manifest_of(product).name)],
        env={"PYTHONPATH": str(laid_out(tmp_path, product))}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [module(manifest_of(product).name)], (
        "the kit is the product's own, and nothing of the harness is needed"
    )


def test_a_traceback_and_the_list_of_processes_name_the_program(tmp_path: Path) -> None:
    place = laid_out(tmp_path, "sfha")
    done = subprocess.run(
        [sys.executable, "-PBc", "from sfha.kit import settings; settings.compose(1)"],
        env={"PYTHONPATH": str(place)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"{place}/sfha/kit/settings.py" in done.stderr
    assert "harness" not in done.stderr.replace(str(tmp_path), "")
    assert 'run_module("sfha"' in (tmp_path / "usr/bin/sfha").read_text()


def test_a_product_that_would_hide_the_kit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy/kit").mkdir(parents=True)
    (tmp_path / "toy/__main__.py").touch()
    (tmp_path / "toy/kit/own.py").touch()
    with pytest.raises(UsageError, match="where the kit goes"):
        program("toy", tmp_path)


def test_a_source_without_the_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"toy/__main__\.py is missing"):
        program("toy", tmp_path)
