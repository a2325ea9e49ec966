"""Which secrets a module needs, who holds them, and how their file reads. Pure.

A secret is letters and digits alone, so that no file it is put into has to quote it. What is in a file already stays
as it is: a password that is made anew locks everybody out who has the old one.
"""

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..inventory.core import Inventory, Role, Server

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32
"""190 bits of chance."""
_LINE = re.compile(r"([A-Z][A-Z0-9_]*)=([A-Za-z0-9]{16,})")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one module needs: the file ``NAME.env``, its variables, and the roles whose servers hold it."""

    name: str
    variables: tuple[str, ...]
    roles: tuple[Role, ...]
    lenders: "tuple[Credentials, ...]" = ()
    """Whose variables these are as well, where they have the same names: its servers get them in its own file."""

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.env"

    def holders(self, inventory: Inventory) -> tuple[Server, ...]:
        """Who has to have the file: the installer, and whoever serves or is in front of those who do."""
        return inventory.of(Role.INSTALLER, *self.roles)


POSTGRESQL = Credentials(
    "postgres",
    (
        "POSTGRES_SUPERUSER_PASSWORD",
        "POSTGRES_REPLICATION_PASSWORD",
        "POSTGRES_REWIND_PASSWORD",
        "POSTGRES_APP_PASSWORD",
        "POSTGRES_N8N_PASSWORD",
        "PATRONI_API_PASSWORD",
    ),
    (Role.POSTGRESQL, Role.HAPROXY),
)
REDIS = Credentials("redis", ("REDIS_PASSWORD", "SENTINEL_PASSWORD"), (Role.REDIS, Role.HAPROXY))
RABBITMQ = Credentials(
    "rabbitmq",
    ("RABBITMQ_ERLANG_COOKIE", "RABBITMQ_ADMIN_PASSWORD", "RABBITMQ_APP_PASSWORD"),
    (Role.RABBITMQ, Role.HAPROXY),
)
OBJECTS = Credentials("objects", ("OBJECTS_ACCESS_KEY", "OBJECTS_SECRET_KEY"), (Role.OBJECTS,))
GALERA = Credentials(
    "mariadb", ("MARIADB_APP_PASSWORD", "MARIADB_TRANSFER_PASSWORD", "MARIADB_CHECK_PASSWORD"), (Role.GALERA,)
)
PROXYSQL = Credentials(
    "proxysql",
    ("PROXYSQL_ADMIN_PASSWORD", "PROXYSQL_MONITOR_PASSWORD", "MARIADB_APP_PASSWORD"),
    (Role.PROXYSQL,),
    lenders=(GALERA,),
)
K3S = Credentials("k3s", ("K3S_TOKEN",), (Role.K3S_MASTER, Role.K3S_WORKER))
APPS = Credentials("apps", ("POSTGRES_APP_PASSWORD", "REDIS_PASSWORD"), (Role.APPS,), lenders=(POSTGRESQL, REDIS))
N8N = Credentials(
    "n8n", ("N8N_ENCRYPTION_KEY", "POSTGRES_N8N_PASSWORD", "REDIS_PASSWORD"), (Role.N8N,), lenders=(POSTGRESQL, REDIS)
)


class CredentialsWrong(Exception):
    """A file of credentials that nobody may guess about: it says which line, and never what is in it."""


def parse(text: str, file: str) -> Mapping[str, str]:
    """The variables of a file. Raises CredentialsWrong."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise CredentialsWrong(f"{file}:{number}: not NAME=VALUE with at least 16 letters and digits")
        if match[1] in found:
            raise CredentialsWrong(f"{file}:{number}: {match[1]} is there twice")
        found[match[1]] = match[2]
    return found


def completed(known: Mapping[str, str], wanted: Credentials, below: Callable[[int], int]) -> Mapping[str, str]:
    """All variables: those that are known as they are, the missing ones drawn.

    ``below(n)`` is a random number from 0 to n - 1 that nobody can foresee, such as :func:`secrets.randbelow`.
    """
    return dict(known) | {
        name: "".join(ALPHABET[below(len(ALPHABET))] for _ in range(LENGTH))
        for name in wanted.variables
        if name not in known
    }


def text_of(values: Mapping[str, str]) -> str:
    """The file that holds them; the same for the same values, in whatever order they come."""
    return "".join(f"{name}={values[name]}\n" for name in sorted(values))
