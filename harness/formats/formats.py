"""The foreign formats by their names."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.formats.edn import edn_lines
from harness.formats.jepsen_log import jepsen_log_lines
from harness.formats.jsonl import jsonl_lines
from harness.formats.pairs import Line
from harness.formats.recorded import operations_in
from harness.operations import Operation

FORMATS: dict[str, Callable[[Iterable[str], str], Iterator[Line]]] = {
    "jepsen-log": jepsen_log_lines,
    "edn": edn_lines,
    "jsonl": jsonl_lines,
}


def read_operations(path: Path, format_name: str) -> Iterator[Operation]:
    """The operations of a foreign history, one after the other as they end; the file is never held as a whole.

    Raises UsageError, naming file and line, for what cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            yield from operations_in(FORMATS[format_name](file, path.name), path.name)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is not text in UTF-8 ({error})") from None
