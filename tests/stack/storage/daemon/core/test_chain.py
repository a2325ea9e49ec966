"""Whatever is done to the audit log, it shows; and what was not touched does not."""

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.daemon.core.chain import Entry, Head, appended, entries, verified, whole

TEXT = st.text(max_size=12)
ENTRIES = st.lists(
    st.builds(Entry, TEXT, TEXT, TEXT, TEXT, st.dictionaries(TEXT, st.integers() | TEXT, max_size=2)),
    min_size=2,
    max_size=8,
)


def log_of(wanted: list[Entry]) -> tuple[list[bytes], Head]:
    lines, head = [], Head()
    for one in wanted:
        line, head = appended(head, one)
        lines.append(line)
    return lines, head


@given(ENTRIES)
def test_what_was_written_is_as_it_was_written(wanted: list[Entry]) -> None:
    lines, head = log_of(wanted)
    content = b"".join(lines)
    assert verified(content, head) == []
    assert whole(content) == (head, len(content))
    assert [one["what"] for one in entries(content)] == [one.what for one in wanted]


@given(ENTRIES, st.data())
def test_a_changed_line_is_found_where_it_is(wanted: list[Entry], data: st.DataObject) -> None:
    lines, head = log_of(wanted)
    at = data.draw(st.integers(0, len(lines) - 1))
    body = json.loads(lines[at])
    body["who"] += "x"
    lines[at] = json.dumps(body).encode() + b"\n"
    assert at + 1 in [one.line for one in verified(b"".join(lines), head)]


@given(ENTRIES, st.data())
def test_any_other_byte_is_found(wanted: list[Entry], data: st.DataObject) -> None:
    lines, head = log_of(wanted)
    content = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert verified(bytes(content), head)


@given(ENTRIES, st.data())
def test_cut_lines_are_found(wanted: list[Entry], data: st.DataObject) -> None:
    lines, head = log_of(wanted)
    first = data.draw(st.integers(0, len(lines) - 1))
    last = data.draw(st.integers(first + 1, len(lines)))
    assert verified(b"".join(lines[:first] + lines[last:]), head)


@given(ENTRIES, st.data())
def test_lines_put_in_are_found_also_when_their_own_digest_is_right(wanted: list[Entry], data: st.DataObject) -> None:
    lines, head = log_of(wanted)
    at = data.draw(st.integers(0, len(lines)))
    before = whole(b"".join(lines[:at]))[0] if at else Head()
    forged, _ = appended(before, Entry("now", "nobody", "approved"))
    kept_elsewhere = Head(len(lines), head.digest)
    found = verified(b"".join([*lines[:at], forged, *lines[at:]]), kept_elsewhere)
    # One line behind the head is what a power cut may leave; that it is alone is all that is known of it.
    assert found or at == len(lines)


@given(ENTRIES)
def test_a_log_that_was_written_anew_is_found_by_a_head_that_was_kept(wanted: list[Entry]) -> None:
    _, head = log_of(wanted)
    anew, _ = log_of([Entry(one.at, one.who, one.what + "!", one.why, one.detail) for one in wanted])
    assert verified(b"".join(anew), head)


@given(ENTRIES, st.integers(1, 30))
def test_a_torn_last_line_is_no_fault_but_a_line_too_few_is(wanted: list[Entry], torn: int) -> None:
    lines, head = log_of(wanted)
    before = whole(b"".join(lines[:-1]))[0]
    content = b"".join(lines[:-1]) + lines[-1][:-torn]
    assert verified(content, before) == [], "it was not answered for"
    assert "the end was cut off" in verified(content, head)[-1].what
