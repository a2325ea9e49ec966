"""What the arbiter has done: power switched by the provider, claim and history kept on the disk.

Whatever blocks is done by threads of its own, one for the disk and one for each thing asked of the provider or of the
program that is told of dead nodes, and reported in the thread of the daemon's loop; so a switch that hangs delays
nobody, not even the daemon's end.
"""

import _thread
import json
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...kit.durable import write_durably
from ..fencing.provider import ProviderError
from ..fencing.providers import Time, provider_of, switch_off
from ..fencing.settings import Stonith
from ..fencing.signals import REMEMBERED, Fencing
from ..notices.program import DIRECTORY as OUTPUTS
from ..notices.program import NoticeFailed, Program
from .arbiter import Arbiter
from .messages import Ballot, Claim, Stored

DIRECTORY = Path("/var/lib/sfha")
LAST_SAVE_WITHIN_S = 2.0

Deliver = Callable[[Callable[[], None]], None]


class UnusableClaim(Exception):
    """What is on the disk cannot be used; the message says which file and what to do."""


class PowerAndDisk:
    """Reports to the arbiter, by ``deliver``, once ``connect`` was called."""

    def __init__(
        self, stonith: Stonith, log: Callable[..., None], directory: Path = DIRECTORY, outputs: Path = OUTPUTS
    ) -> None:
        self._stonith, self._log = stonith, log
        self._claim_path, self._history_path = directory / "claim.json", directory / "fencing.json"
        self._pardons_path = directory / "pardons.json"
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._disk = threading.Thread(target=self._write_jobs, name="disk", daemon=True)
        self._disk.start()
        self._program = Program(outputs)

    def connect(self, arbiter: Arbiter, deliver: Deliver) -> None:
        """From now on results go to ``arbiter``; ``deliver`` has a function called in the daemon's loop."""
        self._arbiter, self._deliver = arbiter, deliver

    def configure(self, stonith: Stonith) -> None:
        """Use this section from now on."""
        self._stonith = stonith

    def close(self) -> None:
        """End the program's calls, and have what is to be saved saved, for a moment at most."""
        self._program.end()
        self._jobs.put(None)
        self._disk.join(LAST_SAVE_WITHIN_S)

    # --- the disk ---

    def claim(self) -> Stored:
        """What was promised and claimed. Raises SwitchboardError: a node that forgot that must not vote."""
        try:
            return _stored_from(json.loads(self._claim_path.read_text()))
        except FileNotFoundError:
            return Stored()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnusableClaim(
                f"{self._claim_path} cannot be used ({error}); make sure that no exclusive service runs anywhere, "
                "then remove this file"
            ) from error

    def save_claim(self, stored: Stored) -> None:
        """Write it down durably, then report."""
        text = json.dumps(_stored_to(stored)) + "\n"

        def save() -> None:
            ok = True
            try:
                write_durably(self._claim_path, text)
            except OSError as error:
                ok, said = False, f"{self._claim_path}: {error}"
                self._report(lambda: self._log("warning", what="claim", message=said))
            self._report(lambda: self._arbiter.claim_saved(ok))

        self._jobs.put(save)

    def history(self) -> list[Fencing]:
        """What was fenced before, in times of this boot's monotonic clock; nothing where the file is of no use."""
        offset_s = time.monotonic() - time.time()
        try:
            found = json.loads(self._history_path.read_text())
            return [
                Fencing(one["node"], one["by"], one["at"] + offset_s, one["automatic"], one["ok"], one["error"])
                for one in found
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._log("warning", what="fencing history", message=f"{self._history_path}: {error}")
            return []

    def pardons(self) -> dict[int, float]:
        """When people forgave which node last, in the same times; nothing where the file is of no use."""
        offset_s = time.monotonic() - time.time()
        try:
            found = json.loads(self._pardons_path.read_text())
            return {int(node): float(at_s) + offset_s for node, at_s in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            self._log("warning", what="fencing history", message=f"{self._pardons_path}: {error}")
            return {}

    def save_pardons(self, pardons: Mapping[int, float]) -> None:
        """Write them down: a loop that a person has ended must not be one again for a daemon that starts anew."""
        offset_s = time.time() - time.monotonic()
        self._save(self._pardons_path, {str(node): round(at_s + offset_s, 3) for node, at_s in pardons.items()})

    def save_history(self, history: Sequence[Fencing]) -> None:
        """Write the newest ones down."""
        offset_s = time.time() - time.monotonic()
        kept = [
            {
                "node": one.node,
                "by": one.by,
                "at": round(one.at_s + offset_s, 3),
                "automatic": one.automatic,
                "ok": one.ok,
                "error": one.error,
            }
            for one in history[-REMEMBERED:]
        ]
        self._save(self._history_path, kept)

    def _save(self, path: Path, document: object) -> None:
        text = json.dumps(document, indent=1) + "\n"

        def save() -> None:
            try:
                write_durably(path, text)
            except OSError as error:
                said = f"{path}: {error}"
                self._report(lambda: self._log("warning", what="fencing history", message=said))

        self._jobs.put(save)

    def _write_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    # --- the provider ---

    def power_off(self, node: str) -> None:
        """Switch it off for certain, then report."""
        stonith = self._stonith

        def work() -> None:
            switch_off(provider_of(stonith), node, Time(time.monotonic, time.sleep))

        def ended(error: str) -> None:
            self._arbiter.switched(node, error)

        self._start(work, ended)

    def look(self, node: str) -> None:
        """Ask whether it has power, then report."""
        stonith = self._stonith
        seen: list[str] = []

        def work() -> None:
            seen.append(provider_of(stonith).power(node))

        def ended(error: str) -> None:
            self._arbiter.looked(node, None if error else seen == ["off"], error)

        self._start(work, ended)

    # --- the program ---

    def tell(self, node: str, word: str) -> None:
        """Call the program about a node, within its time, then report."""
        notify = self._stonith.notify
        said: list[str] = []

        def work() -> None:
            if notify is None:
                raise NoticeFailed("there is no program any more")
            said.append(self._program.call(notify.program, word, node, notify.timeout_s))

        def ended(error: str) -> None:
            self._arbiter.told(node, error, "".join(said))

        self._start(work, ended)

    def _start(self, work: Callable[[], None], ended: Callable[[str], None]) -> None:
        def run() -> None:
            error = ""
            try:
                work()
            except (ProviderError, NoticeFailed) as caught:
                error = str(caught)
            except Exception as caught:  # whatever it is, the arbiter must hear of an end
                error = f"{type(caught).__name__} in {work.__qualname__.split('.')[1]}"
            self._report(lambda: ended(error))

        _thread.start_new_thread(run, ())  # which, unlike threading's, does not wait until it has begun

    def _report(self, what: Callable[[], None]) -> None:
        self._deliver(what)


def _stored_to(stored: Stored) -> dict[str, object]:
    promised, claim = stored.promised, stored.claim
    return {
        "promised": [promised.round, promised.node],
        "claim": [claim.ballot.round, claim.ballot.node],
        "over": claim.over,
    }


def _stored_from(found: object) -> Stored:
    match found:
        case {"promised": [int(round_), int(node)], "claim": [int(claimed), int(owner)], "over": bool(over)}:
            return Stored(Ballot(round_, node), Claim(Ballot(claimed, owner), over))
    raise ValueError("not a claim")
