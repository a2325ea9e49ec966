"""Asking a history for kinds of events, and reading it from a file."""

import json
import resource
import tracemalloc
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.events import FORMAT, AddressAdded, AddressRemoved, Completed, Event, Invoked, Note, RunStarted
from harness.history import FILE_NAME, History, Recorder, Tail, encode
from tests.checks.consistency.telling import operations
from tests.checks.story import ZERO_S, story
from tests.stored_runs import RUNS, history_of, lines_of

MANY = 4_000


def test_events_of_several_kinds_come_in_the_order_of_their_times() -> None:
    history = story().node_holds("n1", 1, 3).node_holds("n2", 2, 4).note(2.5, "x").history()
    assert [event.t_s - ZERO_S for event in history.of(AddressAdded, AddressRemoved)] == [1, 2, 3, 4]
    assert [event.text for event in history.of(Note)] == ["x"]
    assert history.of(Event) == history.events
    assert history.of() == ()


def test_what_clients_did_is_not_among_the_events_but_in_columns() -> None:
    history = story().note(1, "x").write(2, 5).write(3, 6, None).history()
    assert [type(event) for event in history.events] == [Note]
    assert len(history.operations) == 2
    assert (history.first_s - ZERO_S, history.last_s - ZERO_S) == (1, 3)
    with pytest.raises(TypeError, match=r"History\.operations"):
        history.of(Invoked)
    with pytest.raises(TypeError, match=r"History\.operations"):
        history.of(Note, Completed)


def test_a_history_is_something_as_soon_as_anything_happened() -> None:
    assert not History([])
    assert (History([]).first_s, History([]).last_s) == (0.0, 0.0)
    assert story().note(1, "x").history()
    assert story().write(1, 1).history()


def test_a_torn_last_line_is_dropped_and_a_bad_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    good = encode(Note(t_s=1.0, text="a"))
    path.write_bytes(good + b"\n" + good + good[:-1])
    assert len(History.read(path).events) == 2
    assert len(Tail(path).new_events()) == 2
    path.write_bytes(good + b"{\n" + good)
    with pytest.raises(HarnessError, match=r"history\.jsonl:2: not an event"):
        History.read(tmp_path)


@pytest.mark.parametrize("room", [0, 5])
def test_a_disk_without_room_is_the_harness_s_own_failure(tmp_path: Path, room: int) -> None:
    path = tmp_path / FILE_NAME
    recorder = Recorder(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))  # so many bytes are written, if any
    try:
        with pytest.raises(HarnessError, match="the run cannot be recorded"):
            recorder.record(Note(t_s=1.0, text="of which not all is written"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == room
    recorder.close()


def test_reading_keeps_no_object_of_an_operation(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "history.jsonl")
    for process in range(0, MANY, 2):
        for one in operations(f"{process} write {10**6 + process}", f"{process} read {10**6 + process}"):
            for event in one.events:
                recorder.record(event)
    recorder.close()
    tracemalloc.start()
    history = History.read(tmp_path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The two events of an operation take about a kilobyte; its columns 120 bytes.
    assert peak_bytes < 300 * MANY
    assert len(history.operations) > 0


def newer(tmp_path: Path, **more: object) -> Path:
    started = {"kind": "run-started", "t_s": 1.0, "run_id": "r", "scenario": "s", "promises": [], "seed": 1}
    started |= {"engine": "local", "subject": "x", "topology": {}, "format": FORMAT + 1, **more}
    (tmp_path / FILE_NAME).write_text(json.dumps(started) + "\n" + '{"kind": "of-tomorrow", "t_s": 2.0}\n')
    return tmp_path


@pytest.mark.parametrize("more", [{}, {"field_of_tomorrow": 1}, {"promises": {"S1": "as of tomorrow"}}])
def test_a_history_of_a_newer_harness_is_refused_in_one_line(tmp_path: Path, more: dict[str, object]) -> None:
    with pytest.raises(HarnessError) as refused:
        History.read(newer(tmp_path, **more))
    assert str(refused.value).endswith(
        f"recorded by a newer harness, in format {FORMAT + 1}; this one reads up to format {FORMAT}"
    )
    assert "\n" not in str(refused.value)


def test_a_wrong_line_is_not_taken_for_a_newer_one(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r":1: not an event of this harness"):
        History.read(newer(tmp_path, format="3"))
    with pytest.raises(HarnessError, match=r":2: not an event of this harness"):
        History.read(newer(tmp_path, format=FORMAT))


def test_every_event_of_earlier_formats_is_kept_as_test_data() -> None:
    formats = {int(run.parent.name.removeprefix("format-")) for run in RUNS}
    assert formats == set(range(1, FORMAT)), "the runs of each format before this one are in tests/stored"
    for run in RUNS:
        (started,) = history_of(lines_of(run)).of(RunStarted)
        assert f"format-{started.format}" == run.parent.name
