"""The fault journal: what has to be undone, written down before it is done.

An append-only file of JSON lines in the run directory. Whoever injects a fault first writes down what heals it, as
actions that any process can carry out without the fault's own objects. A torn last line is a fault that was not yet
injected. Every heal action may be carried out twice.
"""

import json
import os
from dataclasses import asdict, dataclass
from typing import get_args

from harness.errors import HarnessError, HealFailed
from harness.healing import HealAction
from harness.rundir import ProcessName, RunDirectory

FILE_NAME = "journal.jsonl"
_ACTIONS: dict[str, type[HealAction]] = {cls.__name__: cls for cls in get_args(HealAction)}


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A fault that was injected, or was about to be, and is not known to be healed."""

    fault_id: str
    injector: ProcessName
    heals: tuple[HealAction, ...]


class Journal:
    """The journal of one run. Several processes may write it at once."""

    def __init__(self, run: RunDirectory) -> None:
        self.path = run.path / FILE_NAME

    def about_to(self, fault_id: str, *heals: HealAction) -> None:
        """Write down a fault's healing; inject only after this returned."""
        me = ProcessName.of(os.getpid())
        actions = [{"action": type(heal).__name__} | asdict(heal) for heal in heals]
        self._append({"about_to": fault_id, "injector": asdict(me), "heals": actions})

    def healed(self, fault_id: str) -> None:
        """Write down that nothing of this fault is left to heal."""
        self._append({"healed": fault_id})

    def _append(self, entry: dict[str, object]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                written = os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise HarnessError(f"cannot write the fault journal {self.path}: {error.strerror}") from error
        if written < len(line):  # a torn line would be taken for a fault that was never injected
            raise HarnessError(f"cannot write the fault journal {self.path}: no room is left")

    def open_faults(self) -> tuple[OpenFault, ...]:
        """Faults without a matching ``healed``, newest first: the order in which to undo them."""
        found: dict[str, OpenFault] = {}
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        for line in text[: text.rfind(b"\n") + 1].splitlines():
            try:
                entry = json.loads(line)
                if "healed" in entry:
                    found.pop(entry["healed"], None)
                else:
                    heals = tuple(_action(fields) for fields in entry["heals"])
                    fault_id: str = entry["about_to"]
                    found[fault_id] = OpenFault(fault_id, ProcessName(**entry["injector"]), heals)
            except (ValueError, KeyError, TypeError) as error:
                raise HarnessError(f"{self.path}: {line!r} is no journal entry ({error})") from error
        return tuple(reversed(found.values()))


def _action(fields: dict[str, object]) -> HealAction:
    arguments = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items() if name != "action"
    }
    return _ACTIONS[str(fields["action"])](**arguments)  # type: ignore[arg-type]


def heal_fault(run: RunDirectory, fault: OpenFault) -> None:
    """Carry out all actions of a fault and write down that it is healed.

    Raises what went wrong, once all have been tried, and leaves it open.
    """
    errors: list[Exception] = []
    for action in fault.heals:
        try:
            action.carry_out(run)
        except Exception as error:  # one that fails must not keep the others from being done
            errors.append(error)
    if errors:
        raise HealFailed("; ".join(map(str, errors))) from errors[0]
    Journal(run).healed(fault.fault_id)
