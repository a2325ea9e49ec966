"""The clients of an object store: what they put and compare. A small store of our own takes what they say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.stack.dataservices.rehearsal import objects
from harness.stack.dataservices.rehearsal.objects import compare, content_of, put, run_of, through, write
from harness.stack.dataservices.rehearsal.s3 import Client, Refused, main


class Store(ThreadingHTTPServer):
    """Of one server: what it has, whom it asks for a name, and whether it answers."""

    daemon_threads = True

    def __init__(self, has: dict[str, bytes], *, open_to_all: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.has, self.open_to_all, self.works = has, open_to_all, True

    @property
    def place(self) -> str:
        """As clients are told it."""
        return f"127.0.0.1,{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    """PUT, GET, HEAD and DELETE."""

    server: Store
    protocol_version = "HTTP/1.1"

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _does(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not self.server.works:
            self._answer(500, b"volumes are gone")
        elif "Authorization" not in self.headers and not self.server.open_to_all:
            self._answer(403)
        elif self.command == "PUT":
            self.server.has[self.path] = body
            self._answer(200)
        elif self.path not in self.server.has:
            self._answer(404)
        elif self.command == "DELETE":
            del self.server.has[self.path]
            self._answer(204)
        else:
            self._answer(200, self.server.has[self.path])

    do_PUT = do_GET = do_HEAD = do_DELETE = _does

    def log_message(self, *_: object) -> None:
        """Nothing."""


Serve = Callable[..., Store]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a store that has these objects."""
    with ExitStack() as stack:

        def start(has: dict[str, bytes], *, open_to_all: bool = False) -> Store:
            store = stack.enter_context(Store(has, open_to_all=open_to_all))
            threading.Thread(target=store.serve_forever, args=(0.05,)).start()
            stack.callback(store.shutdown)
            return store

        yield start


@pytest.fixture
def secrets(tmp_path: Path) -> str:
    """A file of credentials."""
    file = tmp_path / "objects.env"
    file.write_text("OBJECTS_ACCESS_KEY=someAccessKey1234\nOBJECTS_SECRET_KEY=someSecretKey12345\n")
    return str(file)


def test_contents_differ_by_their_keys_in_size_as_well() -> None:
    contents = [content_of(f"run/{number}") for number in range(40)]
    assert {len(one) for one in contents} == {0, 100, 4_000, 70_000}
    assert len({one for one in contents if one}) == len([one for one in contents if one])


def test_what_each_place_gives_is_compared_with_what_was_put(serve: Serve, secrets: str, tmp_path: Path) -> None:
    same: dict[str, bytes] = {}
    first, second = serve(same), serve(same)
    clients = [Client(one.place, secrets) for one in (first, second)]
    notes = tmp_path / "notes"
    notes.write_text("1 1.0\n2 1.5\n3 4.0\n")
    for number in (1, 2, 3):
        put(clients[0], f"run/{number}")
    assert compare(clients, "run", notes) == "3 objects acknowledged, none lost, longest pause 2.5 s"
    second.has = same | {"/keyservices/run/2": b"another one's"}
    with pytest.raises(SystemExit, match=rf"{second.place} gives 1 of 3 acknowledged objects not: run/2 has another"):
        compare(clients, "run", notes)
    del second.has["/keyservices/run/2"]
    with pytest.raises(SystemExit, match=r"1 of 3 acknowledged objects not: run/2: .* 404"):
        compare(clients, "run", notes)


def test_a_client_goes_on_by_another_place_and_notes_what_was_acknowledged_alone(
    serve: Serve, secrets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "EVERY_S", 0.0)
    broken, well = serve({}), serve({})
    broken.works = False
    clients, notes = [Client(one.place, secrets) for one in (broken, well)], tmp_path / "notes"
    enough = threading.Event()
    original = clients[1].asked

    def asked(method: str, target: str, body: bytes = b"", *, by_name: bool = True) -> bytes:
        if len(well.has) > 10:
            enough.set()
            raise SystemExit
        return original(method, target, body, by_name=by_name)

    monkeypatch.setattr(clients[1], "asked", asked)
    with pytest.raises(SystemExit):
        write(clients, "run", notes)
    assert enough.is_set()
    noted = {line.split()[0] for line in notes.read_text().splitlines()}
    assert {f"/keyservices/run/{number}" for number in noted} == {one for one in well.has if one.count("/") > 1}
    assert "1" not in noted, "the first one was put to a store that does not work"


def test_a_store_that_gives_objects_to_whoever_asks_is_found_out(serve: Serve, secrets: str) -> None:
    through([Client(serve({}).place, secrets)])
    with pytest.raises(SystemExit, match="gives objects to whoever asks"):
        through([Client(serve({}, open_to_all=True).place, secrets)])


def test_servers_that_do_not_share_what_they_have_are_found_out(serve: Serve, secrets: str) -> None:
    first, second = serve({}), serve({})
    with pytest.raises(SystemExit, match=rf"put by {first.place}, and by {second.place} through/.* 404"):
        through([Client(one.place, secrets) for one in (first, second)])


def test_each_run_has_keys_of_its_own_and_keeps_them(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    assert run_of(first) == run_of(first) != run_of(second)


def test_the_tool_asks_the_next_server_where_one_does_not_answer(
    serve: Serve, secrets: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    well, away = serve({"/app/name": b"content"}), serve({})
    away.server_close()
    assert main([f"{away.place}+{well.place}", secrets, "get", "app/name"]) == 0
    assert main([f"{away.place}+{well.place}", secrets, "get", "app/nothing"]) == 1
    assert main([well.place, secrets, "delete", "app/name"]) == 0
    assert main([well.place, secrets, "fetch", "app/name"]) == 2
    assert well.has == {}


def test_an_answer_that_is_no_yes_says_what_it_was(serve: Serve, secrets: str) -> None:
    client = Client(serve({}).place, secrets)
    with pytest.raises(Refused, match="GET /keyservices/nothing: 404") as caught:
        client.asked("GET", "/keyservices/nothing")
    assert caught.value.status == 404
