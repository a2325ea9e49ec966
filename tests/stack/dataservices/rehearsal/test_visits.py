"""Visitors of a failover test note what was on a page, and find out when an API has it not."""

import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.stack.dataservices.rehearsal import visits
from harness.stack.dataservices.rehearsal.notes import acknowledged_in
from harness.stack.dataservices.rehearsal.visits import asked, compare, main


class Site(ThreadingHTTPServer):
    """An API and a front on one port, told apart by their host names. ``deaf``: notes that it forgets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.notes: list[str] = []
        self.deaf = False
        self.seen = threading.Event()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    """Of a site."""

    server: Site

    def do_PUT(self) -> None:
        self.server.notes.append(urllib.parse.unquote(self.path.rpartition("/")[2]))
        self._say(200, "{}")

    def do_GET(self) -> None:
        if len(self.server.notes) > 5:
            self.server.seen.set()
        shown = self.server.notes[:-3] if self.server.deaf else self.server.notes
        if self.headers["Host"] == "front":
            return self._say(200, "".join(f"<li>{one}</li>" for one in shown))
        if self.path == "/gone":
            return self._say(503, "gone")
        return self._say(200, str({"notes": shown}).replace("'", '"'))

    def _say(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    """One that runs."""
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_was_on_a_page_is_noted_and_compared(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{site.place},api,front"
    command = [sys.executable, "-m", visits.__name__, "write", str(tmp_path), "no-secrets", name]
    with subprocess.Popen(command) as writing:
        assert site.seen.wait(60)
        writing.terminate()
    assert len(acknowledged_in((tmp_path / name).read_text())) >= 4
    assert (tmp_path / "board").read_text().startswith("failover-")
    compare(tmp_path, name, [site.place])
    assert "none lost" in capsys.readouterr().out
    site.notes.clear()
    with pytest.raises(SystemExit, match=r" notes not that a page had$"):
        compare(tmp_path, name, [site.place])


def test_asking_says_whether_it_is_well(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(site.place, "front", "/") == (200, "")
    assert main(["ask", site.place, "front", "/"]) == 0
    assert main(["ask", site.place, "api", "/gone"]) == 1
    assert capsys.readouterr().out.endswith("503 gone\n")
    assert main(["ask", "127.0.0.1:1", "api", "/"]) == 1
    assert "127.0.0.1:1: " in capsys.readouterr().out
    assert main(["look"]) == 2
