"""The tables that people write, often in a spreadsheet's program: read as the text that they should be."""

from pathlib import Path


class TableUnreadable(Exception):
    """The file is not text in UTF-8."""


def text_of(file: Path) -> str:
    """All of a table, without the mark that spreadsheets put before it. Raises TableUnreadable, OSError."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TableUnreadable(
            f"{file}:{line}: not text in UTF-8 (byte 0x{error.object[error.start]:02x}); save it as UTF-8, with tabs"
        ) from None
