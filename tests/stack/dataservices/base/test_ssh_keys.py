"""SSH by key alone, as a real sshd reads it: in a room whose /etc is its own. None runs, so none is told."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack.dataservices.base.rooms import PROGRAMS

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/usr/sbin/sshd").exists(), reason="needs root, and sshd (openssh-server)"
)
WANTED, SCRIPT = PROGRAMS / "sshd.conf", PROGRAMS / "ssh_keys.sh"
DROP_IN = "/etc/ssh/sshd_config.d/00-keyservices.conf"
CONFIG = "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\n"
_ROOM = """
set -e
mount --make-rprivate /
mkdir -p etc work run root
mount -t overlay none -o lowerdir=/etc,upperdir=etc,workdir=work /etc
mount --bind run /run
mount --bind root /root
getent passwd sshd >/dev/null || echo 'sshd:x:999:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
mkdir -p /etc/ssh/sshd_config.d /root/.ssh /run/sshd
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
[ -e /root/once ] || {{ printf '{config}' >/etc/ssh/sshd_config; rm -f /etc/ssh/sshd_config.d/*; touch /root/once; }}
has_a_key() {{ cp /etc/ssh/ssh_host_ed25519_key.pub /root/.ssh/authorized_keys; }}
keys() {{ word=$1; shift; sh {script} $word "$@"; }}
apply() {{ keys apply {wanted} {drop_in}; }}
applied() {{ keys applied {wanted} {drop_in}; }}
not() {{ if "$@"; then return 1; fi; }}
takes_passwords() {{ sshd -T | grep -qx 'passwordauthentication yes'; }}
"""
Does = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def does(tmp_path: Path) -> Does:
    """Run a script in the room; it keeps its /etc from one to the next."""
    room = _ROOM.format(config=CONFIG.replace("\n", "\\n"), script=SCRIPT, wanted=WANTED, drop_in=DROP_IN)
    environment = {name: value for name, value in os.environ.items() if name not in ("SSH_CONNECTION", "SUDO_USER")}

    def run(script: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", room + script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env=environment | more,
        )

    return run


def holds(done: "subprocess.CompletedProcess[str]") -> bool:
    """Whether it came to its end."""
    return done.returncode == 0


@pytest.mark.promise("S4-21")
def test_passwords_are_refused_where_somebody_has_a_key(does: Does) -> None:
    assert holds(does("takes_passwords; has_a_key; not applied"))
    assert holds(does("apply; applied; not takes_passwords"))
    assert holds(does("apply; applied"))
    assert does(f"keys tell; stat -c %a {DROP_IN}").stdout == "644\n"


def test_where_nobody_has_a_key_nobody_is_locked_out_and_that_is_said(does: Does) -> None:
    assert holds(does(f"apply; applied; takes_passwords; not test -e {DROP_IN}"))
    assert "SSH still takes passwords" in does("keys tell").stdout
    assert holds(does("not applied", SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22")), "who came in has one"


def test_what_says_something_else_first_does_not_count(does: Does) -> None:
    """As the files that clouds write."""
    does("echo PasswordAuthentication yes >/etc/ssh/sshd_config.d/50-cloud-init.conf")
    assert holds(does("has_a_key; takes_passwords; apply; applied; not takes_passwords"))


def test_what_drifted_is_put_right(does: Does) -> None:
    assert holds(does("has_a_key; apply"))
    does(f"echo PasswordAuthentication yes >{DROP_IN}")
    assert holds(does("not applied; apply; applied"))


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ("sed -i /Include/d", "has to include that folder first"),
        ("sed -i '$aNonsense yes'", "Bad configuration option"),
    ],
)
def test_what_sshd_does_not_take_is_not_left_there(does: Does, spoilt: str, why: str) -> None:
    done = does(f"has_a_key; {spoilt} /etc/ssh/sshd_config; apply")
    assert not holds(done)
    assert why in done.stderr
    assert holds(does(f"not test -e {DROP_IN}"))


def test_undone_it_is_as_it_was(does: Does) -> None:
    before = does("sshd -T").stdout
    assert holds(does("has_a_key; apply"))
    assert does("sshd -T").stdout != before
    assert holds(does(f"keys undo {DROP_IN}; keys undo {DROP_IN}"))
    assert does("sshd -T").stdout == before
