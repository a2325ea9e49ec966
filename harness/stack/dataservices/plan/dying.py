"""How a failover test has the programs of a server die at once, and come back. Pure."""

from .core import Command


def killed(units: tuple[str, ...], alive: str) -> Command:
    """No process of these units is left, and none comes back. ``alive`` succeeds while there is one."""
    names = " ".join(units)
    gone = f"for _ in $(seq 50); do {alive} >/dev/null || break; sleep 0.1; done"
    return Command(
        # Masked until they are to come back: systemd would start them at once, as if nothing had happened.
        f"systemctl mask --runtime -q {names} && systemctl kill --signal=KILL --kill-whom=all {names}; {gone}",
        f"! systemctl -q is-active {names} && ! {alive}",
    )


def back(units: tuple[str, ...]) -> Command:
    """They may run again, and do, started in this order."""
    names = " ".join(units)
    return Command(
        f"systemctl unmask --runtime -q {names} && systemctl reset-failed {names}; systemctl start {names}",
        " && ".join(f"! test -L /run/systemd/system/{one} && systemctl -q is-active {one}" for one in units),
    )


def unmasked(unit: str) -> Command:
    """A failover test that was killed may have left it masked."""
    return Command(f"systemctl unmask --runtime -q {unit}", f"! test -L /run/systemd/system/{unit}")
