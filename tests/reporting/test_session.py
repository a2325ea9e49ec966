"""What a session leaves: timelines, an index, a summary, and the table of promises."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from harness.checks.verdict import Outcome, Verdict
from harness.errors import UsageError
from harness.events import LinkShaped, RunStarted
from harness.history import Recorder
from harness.judge import judge, store_verdicts
from harness.reporting.facts import facts_of, read_run, result_of
from harness.reporting.promises import count, load_promises, promise_table
from harness.reporting.session import write_session_report
from harness.reporting.timeline import timeline, write_timeline
from tests.checks.story import Story, failover, story

PROMISES = """
[[promise]]
id = "S1-36"
kind = "behaviour"
text = "The address moves"
[[promise]]
id = "S1-37"
kind = "behaviour"
text = "Never two holders <ever>"
[[promise]]
id = "S1-40"
kind = "process"
text = "A rule of work"
"""


class Terminal:
    """Keeps the lines."""

    hasmarkup = False

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def stored(directory: Path, told: Story, *, judged: bool = True) -> Path:
    directory.mkdir(parents=True)
    recorder = Recorder(directory / "history.jsonl")
    for event in told.events:
        recorder.record(event)
    recorder.close()
    if judged:
        store_verdicts(directory, judge(told.history()))
    return directory


def split_brain() -> Story:
    return failover().node_holds("n3", 4, 5)


def test_the_figures_of_a_good_run(tmp_path: Path) -> None:
    facts = facts_of(read_run(stored(tmp_path / "a", failover())))
    assert (facts.result, facts.acknowledged, facts.lost, facts.faults) == ("holds", 135, 0, ("kill n1",))
    assert facts.outage is not None
    assert facts.outage.length_s == pytest.approx(0.7, abs=0.001)


def test_the_page_says_what_links_did_and_what_did_it(tmp_path: Path) -> None:
    character = {"latency_ms": 45.0, "loss_percent": 0.5}
    shaped = LinkShaped(t_s=0.1, link="atlantic", place="dijon and boston", character=character, driver="relay")
    run = read_run(stored(tmp_path / "a", failover()))
    assert "<h2>Links</h2>" not in timeline(run)
    recorder = Recorder(tmp_path / "a" / "history.jsonl")
    recorder.record(shaped)
    recorder.close()
    text = timeline(read_run(tmp_path / "a"))
    assert "<td>atlantic</td><td>dijon and boston</td><td>latency 45 ms, loss 0.5 %</td><td>relay</td>" in text


def test_a_run_that_was_cut_short_is_judged_when_it_is_read(tmp_path: Path) -> None:
    facts = facts_of(read_run(stored(tmp_path / "a", story().run(), judged=False)))
    assert facts.result == "inconclusive"


def test_a_page_is_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    run = read_run(stored(tmp_path / "a", split_brain().note(3.1, "a <b> & 'c'")))
    text = write_timeline(run).read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)\s*=|url\((?!#off\))|https?:|@import", text)
    assert "a &lt;b&gt; &amp;" in text
    assert "n2 and n3 both held" in text
    for drawing in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        ElementTree.fromstring(drawing)


@pytest.mark.parametrize("told", [story(), story().run(), story().run().ended(0.0), story().node_holds("n1", 0, 1)])
def test_a_page_can_be_made_of_almost_nothing(tmp_path: Path, told: Story) -> None:
    assert "<svg" in timeline(read_run(stored(tmp_path / "a", told, judged=False)))


def test_a_session_tells_a_person_everything(tmp_path: Path) -> None:
    (tmp_path / "promises.toml").write_text(PROMISES)
    (tmp_path / "unreadable").mkdir()
    sabotage = split_brain().sabotage("one_holder")
    runs = [
        stored(tmp_path / "good", failover()),
        stored(tmp_path / "bad", split_brain()),
        stored(tmp_path / "sabotage", sabotage),
        tmp_path / "unreadable",
    ]
    terminal = Terminal()
    write_session_report(runs, tmp_path, terminal, tmp_path / "promises.toml")
    text = "\n".join(terminal.lines)
    for words in (
        "no report of",
        "holds",
        "caught",
        "violated test_holder_is_killed: one_holder",
        "700.1 ms",
        "3 scenarios: 1 holds, 1 caught, 1 violated",
        "promises: 2 violated, 1 not shown here",
        str(tmp_path / "index.html"),
    ):
        assert words in text, text
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="good/timeline.html"' in page
    assert "Never two holders &lt;ever&gt;" in page
    assert (tmp_path / "good" / "timeline.html").exists()


def test_a_scenarios_parameters_are_shown(tmp_path: Path) -> None:
    told = failover()
    told.events = [event for event in told.events if event.kind != "run-started"]
    terminal = Terminal()
    run = stored(tmp_path / "a", told.run(scenario="test_kill[fast]"))
    write_session_report([run], tmp_path, terminal, tmp_path / "none.toml")
    assert any("Kill [fast]" in line for line in terminal.lines)


def test_without_a_table_nothing_is_said_to_be_shown(tmp_path: Path) -> None:
    terminal = Terminal()
    write_session_report([stored(tmp_path / "a", failover())], tmp_path, terminal, tmp_path / "none.toml")
    said = "\n".join(terminal.lines)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f"no table of promises: {tmp_path / 'none.toml'} is not there" in said
    assert "promises: 2 that scenarios name cannot be counted: no table of promises was found" in said
    assert "no table of promises was found" in page
    assert "2 of 2" not in page
    assert "shown" not in said


def test_promises_of_a_subjects_own_are_counted_as_well(tmp_path: Path) -> None:
    (tmp_path / "promises.toml").write_text(PROMISES.replace("S1-36", "S1-35"))
    own = tmp_path / "of-the-subject.toml"
    own.write_text("[[promise]]\nid = 'S1-36'\nkind = 'behaviour'\ntext = 'its own'\n")
    spoilt = tmp_path / "spoilt.toml"
    spoilt.write_text("[[promise]")
    terminal = Terminal()
    run = stored(tmp_path / "a", failover())
    write_session_report([run], tmp_path, terminal, tmp_path / "promises.toml", {own, spoilt})
    said = "\n".join(terminal.lines)
    assert "promises: 2 shown, 2 not shown here" in said
    assert f"no table of promises: {spoilt}: is not TOML" in said


def test_each_system_of_a_suite_can_have_a_table(tmp_path: Path) -> None:
    for system, ids in (("web", ("W-1", "S1-36")), ("store", ("S1-36", "S1-37"))):
        (tmp_path / "fixtures" / system).mkdir(parents=True)
        table = "".join(f"[[promise]]\nid = '{one}'\nkind = 'behaviour'\ntext = 'of {system}'\n" for one in ids)
        (tmp_path / "fixtures" / system / "promises.toml").write_text(table)
    terminal = Terminal()
    run = stored(tmp_path / "a", failover())
    write_session_report([run], tmp_path, terminal, tmp_path / "fixtures" / "promises.toml")
    said = "\n".join(terminal.lines)
    assert "promises: 2 shown, 1 not shown here" in said
    assert "no single table of promises: S1-36 is in two of the suite's" in said


def test_a_promise_that_is_in_no_table_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "promises.toml").write_text(PROMISES.replace("S1-36", "S1-35"))
    terminal = Terminal()
    write_session_report([stored(tmp_path / "a", failover())], tmp_path, terminal, tmp_path / "promises.toml")
    said = "\n".join(terminal.lines)
    assert "promises: 1 shown, 2 not shown here" in said
    assert "promises: 1 that scenarios name are not in the table (S1-36)" in said
    assert "1 of 3" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_why_a_run_came_out_as_it_did_names_all_that_was_as_bad() -> None:
    verdicts = (
        Verdict("nothing_lost", Outcome.VIOLATED, "2 are lost"),
        Verdict("outage_at_most", Outcome.UNKNOWN, "too early to tell"),
        Verdict("one_holder", Outcome.VIOLATED, "two holders once"),
    )
    assert result_of(verdicts) == ("violated", "nothing_lost(): 2 are lost (and one_holder)")
    assert result_of(verdicts[:2]) == ("violated", "nothing_lost(): 2 are lost")


def test_promises_by_what_their_runs_showed(tmp_path: Path) -> None:
    (tmp_path / "promises.toml").write_text(PROMISES)
    promises = load_promises(tmp_path / "promises.toml")
    good = facts_of(read_run(stored(tmp_path / "a", failover())))
    bad = facts_of(read_run(stored(tmp_path / "b", split_brain())))
    assert [row.status for row in promise_table(promises, [good])] == ["shown", "shown", "not shown here"]
    assert [row.status for row in promise_table(promises, [good, bad])][:2] == ["violated", "violated"]
    assert [row.promise.id for row in promise_table((), [good])] == ["S1-36", "S1-37"]
    assert count(promise_table(promises, []))["not shown here"] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[promise]]\nid = 'A'\nkind = 'wish'\ntext = 't'", "promise A: kind is 'wish'; allowed: behaviour, process"),
        ("[[promise]]\nid = 'A'\ntext = 't'", "promise A: needs id, kind and text"),
        ("[[promise]]\nid='A'\nkind='process'\ntext='t'\n" * 2, "promise A: is there twice"),
        ("[[promise", "is not TOML"),
    ],
)
def test_a_wrong_list_of_promises_is_explained(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "promises.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        load_promises(tmp_path / "promises.toml")


def report(directory: Path, *runs: Path, promises: str = PROMISES) -> tuple[str, str]:
    """What the terminal and the index say of these runs."""
    (directory / "promises.toml").write_text(promises)
    terminal = Terminal()
    write_session_report(runs, directory, terminal, directory / "promises.toml")
    return "\n".join(terminal.lines), (directory / "index.html").read_text(encoding="utf-8")


def test_dark_moments_are_shown_everywhere(tmp_path: Path) -> None:
    dark = failover().power("n1", 0).gate("n1", installed=0.1, opened=((1.0, 2.0), (2.012, 3.02)))
    runs = stored(tmp_path / "dark", dark), stored(tmp_path / "light", failover())
    said, index = report(tmp_path, *runs)
    assert "dark without a fault: once, 12.0 ms, in 1 of 2 runs" in said
    assert "test_holder_is_killed: once, 12.0 ms" in said
    assert "once, 12.0 ms: the holder does not say why" in said
    assert "<span>dark without a fault</span><b>once, 12.0 ms</b>" in index
    assert "dark without a fault: once, 12.0 ms" in index
    assert "the holder does not say why" in index
    pages = [(run / "timeline.html").read_text(encoding="utf-8") for run in runs]
    assert ["Dark without a fault" in page for page in pages] == [True, False]
    assert ["<span>dark without a fault</span><b>none</b>" in page for page in pages] == [False, True]
    said, index = report(tmp_path, runs[1])
    assert "dark without a fault: none" in said


@pytest.mark.parametrize(
    ("loses", "words"), [(False, "unsynced writes survive on this engine"), (True, "took unsynced writes with them")]
)
def test_that_no_write_is_lost_says_what_it_had_to_survive(loses: bool, words: str, tmp_path: Path) -> None:
    told = failover()
    told.events = [
        replace(one, loses_unsynced_writes=loses) if isinstance(one, RunStarted) else one for one in told.events
    ]
    run = stored(tmp_path / "a", told)
    (lost,) = [one for one in read_run(run).verdicts if one.check == "nothing_lost"]
    assert words in lost.summary
    said, index = report(tmp_path, run)
    assert words in said
    assert index.count(words) >= 2  # beside the figures, and beside each promise
    assert words in (run / "timeline.html").read_text(encoding="utf-8")
    assert ("without a loss of unsynced writes" in said) is not loses


def test_without_a_power_cut_nothing_is_said_of_one(tmp_path: Path) -> None:
    told = failover()
    told.events = [event for event in told.events if event.kind != "node-stopped"]
    said, _ = report(tmp_path, stored(tmp_path / "a", told))
    assert "no node lost power" in said


def test_a_run_that_cannot_be_read_counts(tmp_path: Path) -> None:
    (tmp_path / "spoilt").mkdir()
    (tmp_path / "spoilt/history.jsonl").write_text("{}\n")
    said, index = report(tmp_path, tmp_path / "spoilt", stored(tmp_path / "good", failover()))
    assert "2 scenarios: 1 holds, 1 inconclusive" in said
    assert "no report of" in said
    assert "it cannot be read" in index


def test_a_parameter_is_shown_whole(tmp_path: Path) -> None:
    run = stored(tmp_path / "a", story().run(scenario="test_a.py::test_it[192.0.2.1/24::x]").ended(1))
    said, _ = report(tmp_path, run)
    assert "It [192.0.2.1/24::x]" in said
