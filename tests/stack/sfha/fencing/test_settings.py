"""The section ``stonith`` of config.yml: what is read from it, and the words in which a mistake is refused."""

from pathlib import Path

import pytest

from harness.stack.sfha.config.load import ConfigError, load_config
from harness.stack.sfha.fencing.settings import Notify, Safety, Stonith, SwitchedNode

GOOD = """\
cluster: {name: demo}
node: {name: n1}
stonith:
  enabled: true
  provider: proxmox
  proxmox:
    url: https://pve:8006
    token_id: sfha@pve!fence
    token_secret: geheim
  nodes:
    n1: {type: lxc, vmid: 101}
    n2: {type: qemu, vmid: 102}
  safety:
    max_fences_per_5min: 3
"""


def read(directory: Path, text: str) -> Stonith:
    path = directory / "config.yml"
    path.write_text(text)
    stonith = load_config(path).stonith
    assert stonith is not None
    return stonith


def test_the_section_is_read_with_the_documented_defaults(tmp_path: Path) -> None:
    stonith = read(tmp_path, GOOD)
    assert stonith.nodes == {"n1": SwitchedNode("lxc", 101), "n2": SwitchedNode("qemu", 102)}
    assert stonith.safety == Safety(require_quorum=True, min_delay_s=60, max_per_5min=3, grace_s=120, delay_s=10)
    assert "geheim" not in repr(stonith)
    assert stonith.notify is None


def test_who_is_told_of_dead_nodes(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD + "  notify: {program: /bin/told}\n").notify == Notify("/bin/told", 20.0)
    assert read(tmp_path, GOOD + "  notify: {program: /b, timeout_ms: 500}\n").notify == Notify("/b", 0.5)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("provider: proxmox", "provider: ipmi", ":5: stonith.provider: must be one of proxmox, webhook, command"),
        ("  provider: proxmox\n", "", "stonith.provider: is missing"),
        ("url: https://pve:8006", "url: pve:8006", ":7: stonith.proxmox.url: must begin with http:// or https://"),
        ("https://pve:8006", "https://root:pw@pve:8006", "must not hold a password"),
        ("sfha@pve!fence", "root", ':8: stonith.proxmox.token_id: must be "user@realm!name"'),
        ("token_secret: geheim", "token_secret_file: /none", "stonith.proxmox.token_secret_file: /none cannot be read"),
        (
            "{type: lxc, vmid: 101}",
            "{type: vm, vmid: 101}",
            "stonith.nodes.n1.type: must be one of lxc, qemu, not 'vm'",
        ),
        ("vmid: 102", "vmid: 2", "stonith.nodes.n2.vmid: must be a whole number from 100"),
        ("max_fences_per_5min: 3", "max_fences: 3", ":14: stonith.safety.max_fences: unknown name"),
        ("  safety:", "  webhook: {url: http://x}\n  safety:", "stonith.webhook: belongs to another provider"),
        ("  safety:", "  notify: {program: told}\n  safety:", ":13: stonith.notify.program: must be an absolute path"),
        ("  safety:", "  notify: {timeout_ms: 1000}\n  safety:", "stonith.notify.program: is missing"),
        (
            "  safety:",
            "  notify: {program: /b, timeout_ms: 5}\n  safety:",
            "stonith.notify.timeout_ms: must be a whole",
        ),
        ("  safety:", "  notify: {program: /b, args: x}\n  safety:", "stonith.notify.args: unknown name"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as error:
        read(tmp_path, GOOD.replace(right, wrong, 1))
    assert message in str(error.value)
    assert "geheim" not in str(error.value)
