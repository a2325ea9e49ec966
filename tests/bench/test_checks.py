"""The histories that checks are measured with are what they are said to be, and the page is written."""

import time
from pathlib import Path

import pytest

from harness.bench.checks import Case, Measured, markdown, measure, write
from harness.bench.histories import MODELS, made_up
from harness.bench.objects import measure as judge_object
from harness.bench.reading import Reading
from harness.checks.consistency.kinds import KINDS
from harness.checks.consistency.linearizability import judge
from harness.checks.consistency.models import MODELS as OBJECTS
from harness.checks.consistency.search import Limits, search, timed


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_made_up_histories_are_right_or_wrong(model: str, wrong: bool) -> None:
    operations = made_up(model, 400, 5, seed=3, wrong=wrong)
    assert len(operations) == 400
    assert bool(judge(KINDS[model], operations, Limits(), time.monotonic).answers) == wrong
    if not wrong:
        found = search(OBJECTS[model], timed(operations), Limits(within_s=5.0), time.monotonic)
        assert found.linearizable is not False


def test_the_time_grows_about_as_the_operations_do() -> None:
    """A quadratic algorithm would take 400 times as long for 20 times as many operations."""
    seconds = {}
    for count in (10_000, 200_000):
        operations = made_up("register", count, 20, seed=3, wrong=False)
        began_s = time.process_time()
        judge(KINDS["register"], operations, Limits(), time.monotonic)
        seconds[count] = time.process_time() - began_s
    assert seconds[200_000] < 100 * max(seconds[10_000], 0.002)


def test_the_page_and_its_plot(tmp_path: Path) -> None:
    results = [
        measure(Case(model="register", count=count, concurrency=20, wrong=wrong, search=search))
        for count, wrong, search in ((200, False, False), (400, False, False), (200, True, False), (50, False, True))
    ]
    assert [one.answer for one in results] == ["right", "right", "wrong", "right"]
    readings = [
        Reading(
            source="a run",
            wrong=False,
            count=9,
            file_bytes=2**20,
            read_s=(2.0, 1.0, 4.0),
            judged_s=(0.5,),
            cpu_s=(1.5,),
            memory_bytes=2**21,
        )
    ]
    page = tmp_path / "benchmarks-checks.md"
    measured = Measured(results, [judge_object("bank", 100, True, 1, 7)], readings)
    write(measured, page)
    assert page.read_text() == markdown(measured, "benchmarks-checks.svg")
    assert "| bank | 100 | wrong | wrong |" in page.read_text()
    assert "| 400 operations | promised | register |" in page.read_text()
    assert "| register | own | 400 | 20 | right | right |" in page.read_text()
    assert "| 9 | 1.0 MiB | 2.000 s (1.000 to 4.000) | 0.500 s | 1.500 s |  | 2 MiB |" in page.read_text()
    assert (tmp_path / "benchmarks-checks.svg").read_text().count("<polyline") == 3
