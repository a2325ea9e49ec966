"""The protocol, spoken with a real PostgreSQL that asks for passwords by SCRAM."""

import socket
import threading

import pytest

from harness.stack.dataservices.apps.services.postgres import Connection, Refused
from tests.stack.dataservices.apps.services.programs import PASSWORD, Database


def connected(server: Database, **other: str) -> Connection:
    """As the application's user."""
    known = {"user": "app", "database": "postgres", "password": PASSWORD} | other
    return Connection("127.0.0.1", server.port, within_s=20, **known)


def test_values_come_back_as_they_were_given(postgresql: Database) -> None:
    connection = connected(postgresql)
    for value in ("", "it's", "'; drop table x; --", "héé\n\t\\ \U0001f600", "x" * 5000):
        assert connection.asked("select $1::text, null, $2::int + 1", value, "41") == [(value, None, "42")]
    assert connection.asked("select n from generate_series(1, 3) n") == [("1",), ("2",), ("3",)]
    connection.close()


def test_after_a_refusal_the_connection_goes_on(postgresql: Database) -> None:
    connection = connected(postgresql)
    with pytest.raises(Refused, match="42P01: "):
        connection.asked("select * from no_such_table")
    with pytest.raises(Refused, match="22012: division by zero"):
        connection.asked("select 1 / $1::int", "0")
    assert connection.asked("select 1") == [("1",)]
    connection.close()


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"password": PASSWORD[::-1]}, "28P01: password authentication failed"),
        ({"user": "nobody"}, "28P01: password authentication failed"),
        ({"database": "nowhere"}, "3D000: "),
    ],
)
def test_who_may_not_log_in_is_told_why(postgresql: Database, other: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=f"FATAL {why}"):
        connected(postgresql, **other)


def test_a_server_that_does_not_know_the_password_is_not_believed(postgresql: Database) -> None:
    """Somebody in between, who passes everything on but for the proof that he cannot have."""
    with socket.create_server(("127.0.0.1", 0)) as between:

        def pass_on() -> None:
            client, _ = between.accept()
            with client, socket.create_connection(("127.0.0.1", postgresql.port)) as real:
                while said := client.recv(65536):
                    real.sendall(said)
                    before, signed, after = real.recv(65536).partition(b"v=")
                    other = b"B" if after.startswith(b"A") else b"A"
                    client.sendall(before + signed + (other + after[1:] if signed else b""))

        thread = threading.Thread(target=pass_on)
        thread.start()
        with pytest.raises(Refused, match="does not know the password itself"):
            Connection(
                "127.0.0.1",
                between.getsockname()[1],
                user="app",
                database="postgres",
                password=PASSWORD,
                within_s=20,
            )
        thread.join()


def test_a_password_in_the_clear_is_never_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as asking:
        heard: list[bytes] = []

        def ask_for_it() -> None:
            client, _ = asking.accept()
            with client:
                client.recv(65536)
                client.sendall(b"R\0\0\0\x08\0\0\0\x03")
                client.settimeout(20)
                heard.append(client.recv(65536))

        thread = threading.Thread(target=ask_for_it)
        thread.start()
        with pytest.raises(Refused, match="not SCRAM-SHA-256"):
            Connection("127.0.0.1", asking.getsockname()[1], user="app", database="app", password=PASSWORD, within_s=20)
        thread.join()
    assert heard == [b""]


def test_who_hangs_up_or_says_nothing_is_an_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = silent.getsockname()[1]
        with pytest.raises(TimeoutError):
            Connection("127.0.0.1", place, user="app", database="app", password="x", within_s=0.2)
    with pytest.raises(ConnectionRefusedError):
        Connection("127.0.0.1", place, user="app", database="app", password="x", within_s=5)
