"""Servers of ours that serve nobody, or do not answer."""

from ...autonomy.core import Act
from ...pool.core import Ownership
from ..core.declared import Found, Incident
from ..core.facts import NO_ANSWER, Facts


def frozen_server(facts: Facts) -> Found:
    """It was stopped by a signal."""
    for index, server in facts.servers.items():
        if server.frozen:
            yield f"server {index}", f"process {server.pid}, which serves {server.file}, is stopped"


def silent_device(facts: Facts) -> Found:
    """A mapped device does not answer, and its server is not stopped."""
    for index, answer in facts.reads.items():
        server = facts.servers.get(index)
        if answer == NO_ANSWER and not (server and server.frozen):
            yield f"index {index}", "a read has had no answer"


def orphaned_server(facts: Facts) -> Found:
    """It runs for an index that nobody uses."""
    for index, server in facts.servers.items():
        view = facts.view(index)
        if view is not None and view.ownership is Ownership.FREE:
            yield f"server {index}", f"process {server.pid} serves {server.file}, and nobody uses index {index}"


def dead_socket(facts: Facts) -> Found:
    """Its server died, and nobody uses the index."""
    for index in facts.sockets:
        view = facts.view(index)
        if index not in facts.servers and view is not None and view.ownership is Ownership.FREE:
            yield f"socket {index}", "its server is gone"


def _no_server(facts: Facts, subject: str) -> bool:
    return int(subject.removeprefix("server ")) not in facts.servers


def _answers(facts: Facts, subject: str) -> bool:
    index = int(subject.removeprefix("server "))
    return facts.reads.get(index, "") == ""


INCIDENTS = (
    Incident(
        "frozen-server",
        "critical",
        frozen_server,
        "kill -CONT PROCESS, if nobody stopped it on purpose",
        "wake the server",
        Act.MEND,
        proof=_answers,
    ),
    Incident(
        "silent-device",
        "critical",
        silent_device,
        "look at its server and the storage below; nothing is detached by itself",
    ),
    Incident(
        "orphaned-server",
        "warning",
        orphaned_server,
        "end it",
        "stop the server",
        Act.TIDY,
        proof=_no_server,
        patience=3,
    ),
    Incident(
        "dead-socket",
        "info",
        dead_socket,
        "delete it",
        "take the socket away",
        Act.TIDY,
        proof=lambda facts, subject: int(subject.removeprefix("socket ")) not in facts.sockets or bool(facts.servers),
    ),
)
