"""TLS with certificates on both sides, over real sockets: REST and gRPC; the right ones, others, none."""

import datetime
import ipaddress
import socket
import ssl
import subprocess
import urllib.error
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.stack.storage.daemon.rpc import mfs_autonomy_pb2 as wire
from harness.stack.storage.daemon.tls import Tls, TlsUnusable
from tests.stack.storage.daemon.conftest import ROOT, Running


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Issuer:
    """Of certificates, its own first."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.own = self.issued(name, is_issuer=True)

    def issued(self, name: str, *, is_issuer: bool = False) -> Pair:
        key = self._key if is_issuer else ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_issuer, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        pair.key.touch(mode=0o600)
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return pair


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path, "root")


def context(issuer: Issuer, pair: Pair | None) -> ssl.SSLContext:
    """Of a client that has this certificate, or none."""
    made = ssl.create_default_context(cafile=issuer.own.certificate)
    if pair is not None:
        made.load_cert_chain(pair.certificate, pair.key)
    return made


def status_by_grpc(daemon: Running, port: int, issuer: Issuer, pair: Pair | None) -> int:
    """The level that it says."""
    known = (pair.key.read_bytes(), pair.certificate.read_bytes()) if pair else (None, None)
    credentials = grpc.ssl_channel_credentials(issuer.own.certificate.read_bytes(), *known)
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
        call = channel.unary_unary(
            "/mfs_autonomy.v1.MfsAutonomy/GetStatus", wire.GetStatusRequest.SerializeToString, wire.Status.FromString
        )
        token = (("authorization", f"Bearer {daemon.tokens['read']}"),)
        return int(call(wire.GetStatusRequest(), timeout=10, metadata=token).level)


def test_nobody_is_heard_without_a_certificate_and_a_token(
    new_daemon: Callable[..., Running], tmp_path: Path, issuer: Issuer
) -> None:
    server, client, others = issuer.issued("server"), issuer.issued("client"), Issuer(tmp_path, "others")
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
    files = f"certificate: {server.certificate}, key: {server.key}, clients: {issuer.own.certificate}"
    daemon = new_daemon(more=f"tls: {{{files}}}\ngrpc: {{listen: '127.0.0.1:{port}'}}\n")
    daemon.context = context(issuer, client)
    daemon.start()
    assert daemon("GET", "/v1/status")[0] == 200
    assert daemon("GET", "/v1/status", role=None)[0] == 401, "a certificate is no token"
    assert status_by_grpc(daemon, port, issuer, client) == 3
    stranger = others.issued("stranger")
    for pair in (None, stranger):
        daemon.context = context(issuer, pair)
        with pytest.raises(OSError, match=r"(?i)certificate|unknown ca|reset|closed|EOF"):
            daemon("GET", "/healthz", role=None)
        with pytest.raises(grpc.RpcError) as refused:
            status_by_grpc(daemon, port, issuer, pair)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    daemon.context = context(others, client)
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        daemon("GET", "/healthz", role=None)
    daemon.context = None
    with pytest.raises(OSError, match=r"(?i)reset|closed|EOF"):
        daemon("GET", "/healthz", role=None)


def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, issuer: Issuer) -> None:
    server, other = issuer.issued("server"), issuer.issued("other")
    readable = issuer.issued("readable")
    readable.key.chmod(0o640)
    for files, said in (
        (Tls(tmp_path / "none.crt", server.key), "No such file"),
        (Tls(server.certificate, tmp_path / "none.key"), "none.key: No such file"),
        (Tls(server.certificate, other.key), "no certificate and its key"),
        (Tls(server.key, server.key), "no certificate and its key"),
        (Tls(readable.certificate, readable.key), "chmod 600"),
        (Tls(server.certificate, server.key, tmp_path / "none.crt"), "none.crt: No such file"),
    ):
        with pytest.raises(TlsUnusable) as error:
            files.checked()
        assert said in str(error.value)
        assert len(str(error.value).splitlines()) == 1
    Tls(server.certificate, server.key, issuer.own.certificate).checked()


def test_a_daemon_that_was_to_speak_tls_and_cannot_does_not_start(
    tmp_path: Path, new_daemon: Callable[..., Running]
) -> None:
    daemon = new_daemon(more="")
    config = tmp_path / "tls.yml"
    config.write_text(f"tls: {{certificate: {tmp_path}/a.crt, key: {tmp_path}/a.key}}\n")
    command = [*daemon.command, "daemon", "--config", str(config)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == f"mfs-autonomy: tls: {tmp_path}/a.key: No such file or directory\n"
