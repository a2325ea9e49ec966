"""The records of mappings on disk, a file each."""

import json
import os
from pathlib import Path
from urllib.parse import quote

from ...kit.durable import write_durably
from ..medium import opened
from .ports import PortFailed
from .record import Record, record_from_json, record_to_json


class Records:
    """``folder`` has to outlive a power cut: a record may hold a piece of its volume."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, volume: str) -> Record | None:
        """The record of a volume. Raises PortFailed where it cannot be understood: nobody is to guess then."""
        path = self._file(volume)
        try:
            return record_from_json(json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise PortFailed(f"{path}: {error}") from error

    def all(self) -> list[Record]:
        """Every record. Raises PortFailed."""
        found, bad = self.readable()
        if bad:
            raise PortFailed(f"{bad[0]}: it cannot be understood")
        return found

    def readable(self) -> tuple[list[Record], list[Path]]:
        """Every record that can be understood, and the files of those that cannot."""
        found, bad = [], []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(record_from_json(json.loads(path.read_text())))
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                bad.append(path)
        return found, bad

    def write(self, record: Record) -> None:
        """Durably. Raises OSError."""
        write_durably(self._file(record.volume), json.dumps(record_to_json(record)))

    def delete(self, volume: str) -> None:
        """Durably. Raises OSError."""
        self._file(volume).unlink(missing_ok=True)
        if self._folder.is_dir():
            with opened(self._folder, os.O_RDONLY | os.O_DIRECTORY) as folder:
                os.fsync(folder)

    def _file(self, volume: str) -> Path:
        return self._folder / f"{quote(volume, safe='')}.json"
