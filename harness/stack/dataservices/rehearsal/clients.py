"""How a failover test has clients write in the background of a server, as parts of its plan."""

from dataclasses import dataclass
from importlib.resources import files

from ..plan.core import Action, Check, Command, Directory, File

ENOUGH = 20
WRITTEN_WITHIN_S = 30
_HOME = "/usr/local/lib/keyservices"
_ROOM = f"{_HOME}/rehearsal"


def programs(*names: str) -> tuple[Action, ...]:
    """These programs are on a server, with what they share."""
    texts = {name: files(__package__).joinpath(f"{name}.py").read_text(encoding="utf-8") for name in ("notes", *names)}
    return (Directory(_HOME), Directory(_ROOM), *(File(f"{_ROOM}/{name}.py", text) for name, text in texts.items()))


def program(name: str, *words: str) -> str:
    """How one of them is called; more words follow."""
    return " ".join((f"env PYTHONPATH={_HOME} python3 -m rehearsal.{name}", *words))


@dataclass(frozen=True, slots=True)
class Clients:
    """Those of one server, each with a name; what each was promised is noted in a file of that name."""

    unit: str
    """Of systemd, as long as they write."""
    program: str
    secrets: str
    names: tuple[str, ...]

    @property
    def notes(self) -> str:
        """The folder of their notes."""
        return f"/run/{self.unit}"

    def begin(self) -> tuple[Action, ...]:
        """They write, and it is acknowledged. What an earlier test left behind was promised to somebody else."""
        begun, written_to = f"{self.notes}/begun", f"{self.notes} {self.secrets} {' '.join(self.names)}"
        begin = (
            f"systemctl -q stop {self.unit}.service 2>/dev/null; rm -rf {self.notes}; mkdir -m 700 {self.notes}; "
            f"systemd-run -q --collect --unit {self.unit} {self.program} write {written_to} && touch {begun}"
        )
        return (
            Command(f"rm -f {begun}", f"! test -e {begun}"),
            Command(begin, f"test -e {begun} && systemctl -q is-active {self.unit}.service"),
            self._acknowledged(),
        )

    def go_on(self) -> tuple[Action, ...]:
        """As much again is acknowledged from now on."""
        return (Command(f"touch {self.notes}/since", f"test -e {self.notes}/since"), self._acknowledged())

    def end(self) -> Command:
        """They write no more."""
        return Command(f"systemctl -q stop {self.unit}.service", f"! systemctl -q is-active {self.unit}.service")

    def _acknowledged(self) -> Check:
        return Check(f"{program('notes')} {self.notes} {ENOUGH} {' '.join(self.names)}", WRITTEN_WITHIN_S)
