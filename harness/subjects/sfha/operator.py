"""What an operator of sfha does to a node that runs, and how that is seen by more than what sfha says of itself."""

from harness.subjects.subject import OperatorAction

_CONFIG = "/etc/sfha/config.yml"
_CHECK = "edited-by-operator"
_TOUCHED = "/run/harness-edited"
# The same file again when it is undone: what is read and written as YAML is the document, not its layout.
_EDIT = f"""
import os, sys, yaml
path, wanted = {_CONFIG!r}, sys.argv[1] == "add"
config = yaml.safe_load(open(path))
checks = [one for one in config.pop("health_checks", []) if one["name"] != {_CHECK!r}]
if wanted:
    checks.append({{"name": {_CHECK!r}, "type": "command", "target": "/usr/bin/touch {_TOUCHED}", "interval_ms": 500}})
if checks:
    config["health_checks"] = checks
with open(path + ".new", "w") as new:
    yaml.safe_dump(config, new, sort_keys=False)
os.replace(path + ".new", path)
"""
_RELOADS = 'python3 -c "$1" "$2" && /usr/bin/sfha reload'
_SAYS = f"grep -q {_CHECK} {_CONFIG}"
_RUNS = f'[ -n "$(find {_TOUCHED} -newermt "-2 seconds" 2> /dev/null)" ]'


def operator_actions(addresses: tuple[str, ...]) -> tuple[OperatorAction, ...]:
    """On any node of a cluster that has these virtual addresses."""
    holds = " || ".join(f"ip -o address show to {address} | grep -q ." for address in addresses) or "false"
    stands_by = f"corosync-cmapctl -g sfha.standby 2> /dev/null | grep -q '= 1' && ! {{ {holds}; }}"
    return (
        OperatorAction(
            name="standby",
            about="the node holds nothing, and nobody elects it, until `sfha unstandby`",
            do=("/usr/bin/sfha", "standby"),
            undo=("/usr/bin/sfha", "unstandby"),
            seen=("sh", "-c", stands_by),
        ),
        OperatorAction(
            name="edit",
            about="config.yml gets a health check more, and is reloaded: whoever has the address runs it",
            do=("sh", "-c", _RELOADS, "sh", _EDIT, "add"),
            undo=("sh", "-c", f"{_RELOADS} && rm -f {_TOUCHED}", "sh", _EDIT, "remove"),
            seen=("sh", "-c", f"{_SAYS} && {{ ! {{ {holds}; }} || {_RUNS}; }}"),
        ),
    )
