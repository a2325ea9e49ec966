"""The providers, against a real HTTP server and real programs; and being certain that a node is off."""

import datetime
import ipaddress
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.stack.sfha.fencing import providers
from harness.stack.sfha.fencing.command import Command
from harness.stack.sfha.fencing.provider import Power, ProviderError
from harness.stack.sfha.fencing.providers import Time, switch_off
from harness.stack.sfha.fencing.proxmox import Proxmox
from harness.stack.sfha.fencing.settings import (
    CommandAccess,
    ProxmoxAccess,
    SwitchedNode,
    WebhookAccess,
    WebhookRequest,
)
from harness.stack.sfha.fencing.webhook import Webhook
from tests.stack.sfha.fencing.proxmox_server import SECRET, TOKEN_ID, Guest, ProxmoxServer, serving

NODES = {"n1": SwitchedNode("lxc", 101), "n2": SwitchedNode("qemu", 102)}
NOW = Time(time.monotonic, lambda _s: None)


@pytest.fixture
def server() -> Iterator[ProxmoxServer]:
    """Two guests on two hosts."""
    guests = {101: Guest("lxc", "pve1"), 102: Guest("qemu", "pve2"), 103: Guest("qemu", "pve1")}
    with serving(ProxmoxServer(guests)) as server:
        yield server


def proxmox(server: ProxmoxServer, **changes: object) -> Proxmox:
    access = ProxmoxAccess(server.url, TOKEN_ID, SECRET, timeout_s=1.0)
    return Proxmox(replace(access, **changes), NODES)  # type: ignore[arg-type]


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_a_guest_is_stopped_and_started_wherever_it_is(server: ProxmoxServer, node: str) -> None:
    provider = proxmox(server)
    guest = server.guests[NODES[node].vmid]
    guest.host = "pve3"  # it was moved
    assert provider.power(node) == "on"
    switch_off(provider, node, NOW)
    assert guest.status == "stopped"
    provider.power_on(node)
    assert provider.power(node) == "on"


def test_the_host_may_be_given(server: ProxmoxServer) -> None:
    switch_off(proxmox(server, host_node="pve1", url=f"{server.url}/api2/json/"), "n1", NOW)
    assert not any("cluster" in request for request in server.requests)


def test_a_guest_that_is_off_is_left_alone(server: ProxmoxServer) -> None:
    server.guests[101].status = "stopped"
    switch_off(proxmox(server), "n1", NOW)
    assert not any(request.startswith("POST") for request in server.requests)


def test_a_paused_guest_is_not_off(server: ProxmoxServer) -> None:
    server.guests[102].status = "paused"
    with pytest.raises(ProviderError, match="neither running nor stopped"):
        proxmox(server).power("n2")


def test_what_fails_once_is_tried_again(server: ProxmoxServer) -> None:
    server.refuse_next = [(500, "got timeout"), (596, "tls_process_server_certificate: broken pipe")]
    waited: list[float] = []
    switch_off(proxmox(server), "n1", Time(time.monotonic, waited.append))
    assert waited[:2] == [1.0, 3.0]
    assert server.guests[101].status == "stopped"


def test_three_tries_are_all(server: ProxmoxServer) -> None:
    server.refuse_next = [(500, "storage is locked")] * 3
    with pytest.raises(ProviderError, match=r"500 storage is locked \(after 3 tries\)"):
        switch_off(proxmox(server), "n1", NOW)


def test_a_task_that_fails_is_said_in_its_words(server: ProxmoxServer) -> None:
    server.task_fails_with = "can't lock file '/var/lock/qemu-server/lock-102.conf' - got timeout"
    with pytest.raises(ProviderError, match="can't lock file"):
        proxmox(server).power_off("n2")


def test_a_guest_that_stays_on_is_not_taken_for_off(server: ProxmoxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.guests[101].stops = False
    monkeypatch.setattr(providers, "CONFIRM_WITHIN_S", 0.05)
    with pytest.raises(ProviderError, match="n1 is still on"):
        switch_off(proxmox(server), "n1", NOW)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "check stonith.proxmox.token_id"), (403, r"needs VM.PowerMgmt"), (500, "500 no")]
)
def test_refusals_say_what_to_do_and_keep_the_secret(server: ProxmoxServer, status: int, words: str) -> None:
    server.refuse_next = [(status, "no")]
    with pytest.raises(ProviderError, match=words) as raised:
        proxmox(server).power("n1")
    assert SECRET not in str(raised.value)


def test_a_wrong_secret_is_refused(server: ProxmoxServer) -> None:
    with pytest.raises(ProviderError, match="refused the API token"):
        proxmox(server, token_secret="guessed").power("n1")


def test_an_unknown_guest_is_named(server: ProxmoxServer) -> None:
    del server.guests[101]
    with pytest.raises(ProviderError, match="knows no lxc 101 for n1"):
        proxmox(server).power("n1")


def test_a_switch_that_does_not_answer_is_given_up(server: ProxmoxServer) -> None:
    server.silent_for_s = 5.0
    with pytest.raises(ProviderError, match=r"no answer within 0\.05 s"):
        proxmox(server, timeout_s=0.05).power("n1")


def test_nobody_listens_and_nonsense_is_answered(server: ProxmoxServer) -> None:
    with pytest.raises(ProviderError, match="Connection refused"):
        proxmox(server, url="http://127.0.0.1:1").power("n1")
    server.garbage = True
    with pytest.raises(ProviderError, match="not one of the Proxmox API"):
        proxmox(server).power("n1")


def test_certificates_are_checked_unless_told_otherwise(tmp_path: Path) -> None:
    certificate = own_certificate(tmp_path)
    with serving(ProxmoxServer({101: Guest("lxc", "pve1")}), certificate) as server:
        with pytest.raises(ProviderError, match="the certificate is not trusted"):
            proxmox(server).power("n1")
        assert proxmox(server, ca_file=str(certificate[0])).power("n1") == "on"
        assert proxmox(server, verify_tls=False).power("n1") == "on"


def own_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, as a fresh Proxmox has one; and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = directory / "cert.pem", directory / "key.pem"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


# --- webhook: the same server, asked by templates -----------------------------------------------------


def hook(server: ProxmoxServer, *, status: bool = True) -> Webhook:
    guest = f"{server.url}/api2/json/nodes/pve1/{{type}}/{{vmid}}/status"
    headers = (("Authorization", f"PVEAPIToken={TOKEN_ID}={SECRET}"),)
    access = WebhookAccess(
        switch=WebhookRequest(f"{guest}/stop", "POST", headers, '{"node": "{node}", "why": {"action": "{action}"}}'),
        status=WebhookRequest(f"{guest}/current", "GET", headers) if status else None,
        off_when='"status": "stopped"',
        timeout_s=1.0,
    )
    return Webhook(access, NODES)


def test_a_webhook_switches_and_is_asked_until_the_node_is_off(server: ProxmoxServer) -> None:
    switch_off(hook(server), "n1", NOW)
    assert server.guests[101].status == "stopped"


def test_without_a_status_the_answer_is_the_confirmation(server: ProxmoxServer) -> None:
    provider = hook(server, status=False)
    with pytest.raises(ProviderError, match="status_url is not set"):
        provider.power("n1")
    switch_off(provider, "n1", NOW)


def test_a_webhook_that_refuses_is_an_error(server: ProxmoxServer) -> None:
    server.refuse_next = [(502, "Bad Gateway")]
    with pytest.raises(ProviderError, match="answered 502 Bad Gateway"):
        hook(server).power_off("n1")


# --- a program ----------------------------------------------------------------------------------------


def program(directory: Path, text: str, *, timeout_s: float = 5.0) -> Command:
    path = directory / "power"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return Command(CommandAccess(str(path), timeout_s))


def test_a_program_switches(tmp_path: Path) -> None:
    state = tmp_path / "n1"
    state.write_text("on")
    provider = program(tmp_path, f'[ $1 = status ] && exec cat {tmp_path}/$2 || printf $1 > "{tmp_path}/$2"')
    assert provider.power("n1") == "on"
    switch_off(provider, "n1", NOW)
    assert state.read_text() == "off"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo no such outlet >&2; exit 3", "no such outlet"),
        ("exit 3", "exit code 3"),
        ("echo maybe", "said 'maybe', not on or off"),
        ("exec sleep 5", r"no end within 0\.1 s"),
    ],
)
def test_a_program_that_fails_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ProviderError, match=words):
        program(tmp_path, text, timeout_s=0.1).power("n1")


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="cannot be executed: No such file"):
        Command(CommandAccess(str(tmp_path / "none"), 1.0)).power("n1")


def test_off_is_asked_for_until_it_is_true() -> None:
    class Slow:
        """Off two questions after it was switched."""

        questions = 0

        def power_off(self, node: str) -> None:
            self.questions = 0

        def power_on(self, node: str) -> None:
            raise AssertionError

        def power(self, node: str) -> Power:
            self.questions += 1
            return "off" if self.questions > 2 else "on"

    slow = Slow()
    switch_off(slow, "n1", NOW)
    assert slow.questions == 3
