"""A file in parts: nothing is left out, nothing is read twice, and each part begins where a line does."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from harness.reading.cutting import cut, opened


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=30),
    st.integers(1, 9),
    st.sampled_from((b"", b"\n")),
)
def test_the_parts_are_the_file(lines: list[bytes], count: int, end: bytes) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "file"
        path.write_bytes(b"\n".join(lines) + end)
        parts = cut(path, count)
        assert len(parts) <= count
        texts = []
        for part in parts:
            with opened(part) as file:
                texts.append(file.read())
        assert b"".join(texts) == path.read_bytes()
        assert all(text.endswith(b"\n") for text in texts[:-1])
        assert [part.first for part in parts] == [1 + b"".join(texts[:n]).count(b"\n") for n in range(len(parts))]
