"""Builds a root file system with mmdebstrap(1), in namespaces of its own that end when the builder does."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.errors import HostError
from harness.images.definition import ImageDefinition
from harness.images.mirror import HOW_TO_GIVE, Mirror, network_settings

LOG_TAIL_LINES = 15
LOOK_EVERY_S = 0.25
UMASK = 0o022
"""Of the builder, whatever ours: not all that runs on nodes is root."""
# Dies with this process, and takes everything it started (apt, dpkg, maintainer scripts) and mounted with it.
CONTAINED = (
    "setpriv", "--pdeathsig", "KILL", "--",
    "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
)  # fmt: skip
# invoke-rc.d(8): 101 forbids a package that is installed into a node to start its service.
POLICY = "#!/bin/sh\nexit 101\n"
# Packages, with all that they need, become a repository inside the image, the one that its apt knows.
# The index is what dpkg-scanpackages(1) would write: a host that can build images need not have it.
OFFER = """\
echo 'I: downloading what the image offers'
mkdir -p srv/packages/partial
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install -qq --no-install-recommends --download-only \\
    -o Dir::Cache::Archives="$PWD/srv/packages" {packages}
rm -rf srv/packages/partial srv/packages/lock
for file in srv/packages/*.deb; do
    dpkg-deb --field "$file"
    printf 'Filename: ./%s\\nSize: %s\\n' "${{file##*/}}" "$(stat -c %s "$file")"
    printf 'SHA256: %s\\n\\n' "$(sha256sum "$file" | cut -d ' ' -f 1)"
done >srv/packages/Packages
rm -f etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/packages ./' >etc/apt/sources.list"""
STAGES = {
    "running apt-get update": "fetching package lists",
    "downloading packages": "downloading",
    "extracting archives": "unpacking the base",
    "installing essential packages": "installing the base",
    "installing remaining packages": "installing packages",
    "downloading what the image offers": "downloading what it offers",
    "cleaning package lists": "cleaning",
}


def build_root(
    definition: ImageDefinition, mirror: Mirror, into: Path, log: Path, progress: Callable[[str], None]
) -> None:
    """Make the root file system ``into`` (which must not exist yet); raises HostError with the end of the log."""
    check_host()
    # Beside the root: whoever removes what a killed builder left removes this as well.
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=into.parent) as scratch:
        command = [*CONTAINED, *mmdebstrap_command(definition, mirror, into, Path(scratch))]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**plain_environment(), "TMPDIR": scratch},
                umask=UMASK,
            )
        try:
            _follow(process, log, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        raise HostError(failure(log.read_text(encoding="utf-8", errors="replace"), mirror, log))
    # Not by a hook: mmdebstrap has a policy of its own while it builds, and removes it at the end.
    policy = into / "usr/sbin/policy-rc.d"
    policy.write_text(POLICY)
    policy.chmod(0o755)


def plain_environment() -> dict[str, str]:
    """This process's environment without what would steer another Python, which is the image's in the end."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def check_host() -> None:
    """Raise HostError unless images can be built here."""
    if os.geteuid() != 0:
        raise HostError("building an image needs root: sudo harness image build")
    for program, package in (("mmdebstrap", "mmdebstrap"), ("setpriv", "util-linux"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            raise HostError(f"{program} is needed to build an image: apt-get install {package}")


def mmdebstrap_command(definition: ImageDefinition, mirror: Mirror, into: Path, scratch: Path) -> list[str]:
    """The command line; writes keys, network settings and hooks as files into ``scratch``."""
    keys = scratch / "keys"
    keys.mkdir()
    for number, keyring in enumerate(mirror.keyrings):
        shutil.copy(keyring, keys / f"{number}{keyring.suffix}")
    settings = scratch / "apt.conf"
    # The cache of a user is often closed to apt's own user, which it would otherwise download as.
    settings.write_text(f'{network_settings()}APT::Sandbox::User "root";\n', encoding="utf-8")
    finish = scratch / "finish"
    finish.write_text(finishing_script(definition), encoding="utf-8")
    return [
        "mmdebstrap", "--mode=root", "--format=directory", "--verbose",
        f"--variant={definition.variant}",
        f"--components={','.join(definition.components)}",
        f"--include={','.join(definition.packages)}",
        f"--keyring={keys}",
        f"--aptopt={settings}",
        '--aptopt=Acquire::Languages "none"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in definition.exclude),
        *(f"--dpkgopt=path-include={pattern}" for pattern in definition.keep),
        f"--customize-hook=sh -eu {finish} \"$1\"",
        definition.suite, str(into), mirror.url,
    ]  # fmt: skip


def finishing_script(definition: ImageDefinition) -> str:
    """The sh script that turns installed packages into an image; its argument is the root file system."""
    keep = " ".join(f"! -name {shlex.quote(unit)}" for unit in definition.enabled_units)
    lines = [
        'cd "$1"',
        *([OFFER.format(packages=shlex.join(definition.offered))] if definition.offered else []),
        # Units are enabled by links, for systemd and for System V init alike.
        f"find etc/systemd/system -path '*.wants/*' {keep} -delete",
        f"find etc/systemd/system -path '*.requires/*' {keep} -delete",
        "rm -f etc/rc[0-9S].d/[SK]*",
        # mmdebstrap took these over from this host; every node has its own.
        "rm -f etc/resolv.conf etc/hostname etc/apt/apt.conf.d/99mmdebstrap",
        "printf '127.0.0.1 localhost\\n::1 localhost\\n' >etc/hosts",
        ": >etc/machine-id",
        "if [ -x usr/bin/python3 ]; then chroot . python3 -m compileall -q /usr/lib/python3 /usr/lib/python3.*; fi",
        *(f"chroot . sh -euc {shlex.quote(command)}" for command in definition.commands),
        "dpkg-query --admindir=var/lib/dpkg -W -f '${Package} ${Version}\\n' >../packages.txt",
    ]
    return "\n".join(lines) + "\n"


def stage_of(log: str) -> str:
    """What the build is doing, from mmdebstrap's log so far."""
    stage, since = "starting", 0
    for match in re.finditer(r"^I: (.*?)(?:\.\.\.)?$", log, re.MULTILINE):
        for begins, meaning in STAGES.items():
            if match.group(1).startswith(begins):
                stage, since = meaning, match.end()
    of = re.findall(r"^\d+ upgraded, (\d+) newly installed", log, re.MULTILINE)
    if not of:
        return stage
    fetched = len(re.findall(r"^Get:\d+ ", log[since:], re.MULTILINE))
    if stage == "downloading":
        return f"{stage} {min(fetched, int(of[0]))}/{of[0]}"
    if stage == "installing packages":
        return f"{stage} {len(re.findall(r'^Setting up ', log[since:], re.MULTILINE))}/{of[-1]}"
    return stage


def failure(log: str, mirror: Mirror, path: Path) -> str:
    """One message for a failed build: the likely reason, then the end of the log."""
    reason = f"building the node image from {mirror.url} failed"
    if re.search(r"NO_PUBKEY|not signed|Missing key|no public key", log, re.IGNORECASE):
        reason += (
            "; this host does not know the key it is signed with: apt-get install debian-archive-keyring"
            f" (its newest version), or {HOW_TO_GIVE}"
        )
    elif re.search(r"Could not resolve|Could not connect|Connection (?:timed out|refused)|Unable to connect", log):
        reason += f"; it cannot be reached from here; {HOW_TO_GIVE}"
    elif "404" in log:
        reason += f"; it may not have this suite; {HOW_TO_GIVE}"
    tail = "\n".join(f"    {line}" for line in log.strip().splitlines()[-LOG_TAIL_LINES:])
    return f"{reason}\n{tail}\n    (whole log: {path})"


def _follow(process: subprocess.Popen[bytes], log: Path, progress: Callable[[str], None]) -> None:
    while True:
        try:
            process.wait(timeout=LOOK_EVERY_S)
            return
        except subprocess.TimeoutExpired:
            progress(stage_of(log.read_text(encoding="utf-8", errors="replace")))
