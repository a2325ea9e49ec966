"""Where Debian comes from: what this host's own apt is configured with.

Field names are those of ``apt-get indextargets`` (apt-get(8)) and sources.list(5).
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError, UsageError

ARCHIVE_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
HOW_TO_GIVE = "give one: harness image build --mirror URL --keyring FILE"
NETWORK_SETTINGS = re.compile(
    r"^Acquire::(?:https?|ftp|ForceIPv[46]|Retries|Check-Valid-Until|Check-Date|Queue-Mode)\b.* \".*\";$"
)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A Debian archive, and the keys its Release files may be signed with."""

    url: str
    keyrings: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class IndexTarget:
    """One index that apt would download: the part of its description that tells archives apart."""

    url: str
    release: str
    origin: str
    label: str
    component: str
    source_entry: str


def find_mirror(url: str | None = None, keyring: Path | None = None) -> Mirror:
    """The Debian archive that this host's apt uses, unless another is given.

    Raises HostError, saying how to give one, when apt knows none.
    """
    if keyring is not None and not keyring.exists():
        raise UsageError(f"--keyring {keyring}: there is no such file")
    target = None
    if url is None:
        target = choose_archive(parse_index_targets(_apt("apt-get", "indextargets", "Created-By: Packages")))
        if target is None:
            raise HostError(f"this host's apt knows no Debian archive; {HOW_TO_GIVE}")
        url = _first_of_list(target.url)
    keyrings = [keyring] if keyring is not None else _keyrings(target)
    if not keyrings:
        raise HostError(f"no keys to verify {url} with: apt-get install debian-archive-keyring, or {HOW_TO_GIVE}")
    return Mirror(url.rstrip("/"), tuple(keyrings))


def parse_index_targets(text: str) -> tuple[IndexTarget, ...]:
    """Read the paragraphs printed by ``apt-get indextargets``."""
    targets = []
    for paragraph in text.strip().split("\n\n"):
        field = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line)
        if "Site" in field:
            targets.append(
                IndexTarget(
                    url=field["Site"],
                    release=field.get("Release", ""),
                    origin=field.get("Origin", ""),
                    label=field.get("Label", ""),
                    component=field.get("Component", ""),
                    source_entry=field.get("Sourcesentry", ""),
                )
            )
    return tuple(targets)


def choose_archive(targets: tuple[IndexTarget, ...]) -> IndexTarget | None:
    """The target whose site is a whole Debian archive, which has every suite; None when there is none.

    Security and third-party archives hold only their own suites. Origin and label are known once the
    host's package lists were downloaded; before that the address has to tell.
    """

    def looks_like_archive(target: IndexTarget) -> bool:
        if "-security" in target.release or "debian-security" in target.url:
            return False
        return target.url.startswith("mirror+file:") or re.search(r"/debian(/|$)", target.url) is not None

    def rank(target: IndexTarget) -> int | None:
        if target.component != "main" or target.url.startswith("cdrom:"):
            return None
        if (target.origin or target.label) and (target.origin, target.label) != ("Debian", "Debian"):
            return None
        if not (target.origin or target.label or looks_like_archive(target)):
            return None
        return 1 if "-" in target.release else 0

    ranked = [(place, target) for target in targets if (place := rank(target)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def signed_by(text: str, entry: int) -> str | None:
    """The Signed-By of the source entry at that line (counted from 1) of a sources file; None when it has none."""
    lines = text.splitlines()[entry - 1 :]
    if not lines:
        return None
    if re.match(r"deb(-src)?\s", lines[0]):
        option = re.search(r"\[[^\]]*\bsigned-by=([^\s\]]+)", lines[0])
        return option.group(1) if option else None
    for line in lines:
        if not line.strip():
            return None
        if line.lower().startswith("signed-by:"):
            return line.split(":", 1)[1].strip() or None
    return None


def network_settings() -> str:
    """The host's apt settings about proxies, certificates and the network, as lines of an apt.conf."""
    lines = [line for line in _apt("apt-config", "dump").splitlines() if NETWORK_SETTINGS.match(line)]
    for option, path in (("netrc", "/etc/apt/auth.conf"), ("netrcparts", "/etc/apt/auth.conf.d")):
        if Path(path).exists():
            lines.append(f'Dir::Etc::{option} "{path}";')
    return "".join(f"{line}\n" for line in lines)


def _keyrings(target: IndexTarget | None) -> list[Path]:
    found = []
    if target is not None and ":" in target.source_entry:
        file, _, line = target.source_entry.rpartition(":")
        try:
            named = signed_by(Path(file).read_text(encoding="utf-8", errors="replace"), int(line))
        except (OSError, ValueError):
            named = None
        # A list of files; fingerprints and keys written into the file itself are of no use here.
        found = [Path(name) for name in re.split(r"[,\s]+", named or "") if name.startswith("/")]
    # The release before the image's own may be signed by other keys than the host's suite is.
    candidates = [*found, ARCHIVE_KEYRING]
    candidates += sorted(Path("/etc/apt/trusted.gpg.d").glob("*.[ag][sp][cg]")) if not found else []
    return list(dict.fromkeys(path for path in candidates if path.is_file()))


def _first_of_list(url: str) -> str:
    """Resolve apt-transport-mirror(1) lists in files, as Debian's cloud images have them, to their first entry."""
    if not url.startswith("mirror+file:"):
        return url
    path = Path("/" + url.removeprefix("mirror+file:").lstrip("/"))
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise HostError(f"apt's mirror list {path} cannot be read ({error.strerror}); {HOW_TO_GIVE}") from error
    for line in lines:
        if line.strip() and not line.startswith("#"):
            return line.split()[0]
    raise HostError(f"apt's mirror list {path} is empty; {HOW_TO_GIVE}")


def _apt(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise HostError(f"this host has no {command[0]}, so it has no Debian mirror to use; {HOW_TO_GIVE}") from error
    if done.returncode != 0:
        raise HostError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
