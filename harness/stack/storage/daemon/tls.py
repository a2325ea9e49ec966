"""TLS for the API: its files are looked at before anybody listens, so that a mistake is one line at the start."""

import os
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class TlsUnusable(Exception):
    """What the settings name cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files, all PEM."""

    certificate: Path
    """With those that were issued between it and the root."""
    key: Path
    clients: Path | None = None
    """Who issues certificates to clients: then none is heard without one. A token is needed all the same."""

    def checked(self) -> None:
        """Raises TlsUnusable."""
        _private(self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key, password=_none)
        except (OSError, ValueError) as error:
            raise TlsUnusable(f"{self.certificate} with {self.key}: {_said(error)}") from error
        if self.clients is not None:
            try:
                context.load_verify_locations(self.clients)
            except OSError as error:
                raise TlsUnusable(f"{self.clients}: {_said(error)}") from error

    def of_uvicorn(self) -> dict[str, Any]:
        """Its settings."""
        known: dict[str, Any] = {"ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        if self.clients is not None:
            known |= {"ssl_ca_certs": str(self.clients), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        return known

    def of_grpc(self) -> tuple[bytes, bytes, bytes | None]:
        """Key, certificates, and who issues those of clients. Raises OSError."""
        clients = None if self.clients is None else self.clients.read_bytes()
        return self.key.read_bytes(), self.certificate.read_bytes(), clients


def _private(key: Path) -> None:
    try:
        found = key.stat()
    except OSError as error:
        raise TlsUnusable(f"{key}: {error.strerror}") from error
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise TlsUnusable(f"{key}: others may read or own it: chmod 600, and the owner is who runs the daemon")


def _none() -> str:
    """Nobody is there to be asked for a passphrase."""
    raise ValueError("the key has a passphrase: the daemon starts by itself, take it away (openssl pkey)")


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no certificate and its key in PEM ({error.reason or error})"
    return getattr(error, "strerror", None) or str(error)
