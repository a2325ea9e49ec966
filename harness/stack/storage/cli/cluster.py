"""`mfs-autonomy cluster`: what other hosts have, as they said it; and the key that all of them share."""

import argparse
import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED
from ..peers.core.sealing import KEY_BYTES
from ..peers.core.standing import Standing
from ..peers.view import View, now_s, read
from .errors import CommandFailed
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands

KEY_FILE = Path("/etc/mfs-autonomy/cluster.key")


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cluster",
        help="show what other hosts have mapped and who is silent; or make the key that they share",
        epilog="`cluster key` writes a new key: copy it to every host, by a way that nobody reads.",
    )
    parser.add_argument("what", nargs="?", choices=("show", "key"), default="show")
    parser.add_argument("--file", type=Path, default=KEY_FILE, help="of the key (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=cluster)


def cluster(options: argparse.Namespace) -> int:
    """Exit code 1 where a host is silent, or the daemon here."""
    if options.what == "key":
        return _key(options.file)
    view, at_s = read(places_of(options)), now_s()
    if view is None:
        raise CommandFailed("no daemon with `cluster:` in its settings has run here since the last boot")
    age_s = at_s - view.written_at_s
    standings = view.standings(at_s)
    if options.json:
        say(json.dumps(_document(view, standings, age_s), indent=2))
    else:
        _show(view, standings)
    if age_s > view.after_s:
        raise CommandFailed(f"the daemon here has said nothing for {age_s:.0f} s: all of this is as old as that")
    return DONE if all(one.state == "well" for one in standings) else FAILED


def _show(view: View, standings: tuple[Standing, ...]) -> None:
    rows = [(view.name, "this one", "", *_counts(view, view.name))]
    for one in standings:
        age = "" if one.age_s is None else f"{one.age_s:.0f} s ago"
        through = "" if one.direct or one.state != "well" else ", by others alone"
        rows.append((one.name, one.state + through, age, *_counts(view, one.name)))
    show_table(("HOST", "", "SAID", "MAPPED", "MOVES", "INCIDENTS"), rows)
    for name, heard in sorted(view.known.items()):
        for volume in heard.report.volumes:
            where = "a file" if volume.index is None else f"{volume.driver} {volume.index}"
            say(f"{name}: {volume.volume} ({volume.stage}, {where})")
        for move in heard.report.moves:
            say(f"{name}: {move.source} -> {move.target} ({move.phase})")
        for case in heard.report.incidents:
            say(f"{name}: {case.name} at {case.subject} ({case.severity}, {case.stage})")
    for why, count in view.refused.items():
        say(f"not taken, {count} times: {why}")


def _counts(view: View, name: str) -> tuple[str, str, str]:
    heard = view.known.get(name)
    if heard is None:
        return "?", "?", "?"
    report = heard.report
    return str(len(report.volumes)), str(len(report.moves)), str(len(report.incidents))


def _document(view: View, standings: tuple[Standing, ...], age_s: float) -> dict[str, object]:
    reports = {name: asdict(heard.report) for name, heard in view.known.items()}
    peers = [asdict(one) for one in standings]
    return {"name": view.name, "age_s": age_s, "peers": peers, "reports": reports, "refused": dict(view.refused)}


def _key(file: Path) -> int:
    """Never shown, never overwritten."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise CommandFailed(f"{file} is there already: hosts that have it would not hear this one any more") from None
    with os.fdopen(descriptor, "w") as out:
        out.write(f"{secrets.token_hex(KEY_BYTES)}\n")
        out.flush()
        os.fsync(descriptor)
    say(f"{file}: copy it to every host of the cluster")
    return DONE
