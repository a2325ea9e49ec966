#!/usr/bin/env python3
"""Says whether something of a Kubernetes is up: a program that stands on its own on a master.

Reads what `kubectl get nodes,deployments,daemonsets,storageclasses -A -o json` says. Ends with 0, or 1 and why not.

k3s_state.py nodes NAME...                       these are all the nodes there are, and each is ready
k3s_state.py ready NAME...                       these nodes are ready, whatever others there are
k3s_state.py deployment NAMESPACE/NAME COUNT     so many of it are ready, of what it says now
k3s_state.py daemonset NAMESPACE/NAME NODE...    one is ready on each of these nodes, in the network of its host
k3s_state.py storageclass                        there is one that is taken where nobody names any
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def why_not(items: Sequence[Item], words: Sequence[str]) -> str:
    """Why it is not up; an empty text: it is. Raises ValueError for words that make no sense."""
    match words:
        case ["nodes", *names] if names:
            return _strange(items, names) or _ready(items, names)
        case ["ready", *names] if names:
            return _ready(items, names)
        case ["deployment", name, count]:
            return _deployment(_named(items, "Deployment", name), name, int(count))
        case ["daemonset", name, *nodes] if nodes:
            return _daemonset(_named(items, "DaemonSet", name), name, len(nodes))
        case ["storageclass"]:
            return _storageclass(items)
    raise ValueError(" ".join(words))


def _named(items: Sequence[Item], kind: str, name: str) -> Item | None:
    for one in items:
        meta = one["metadata"]
        if one["kind"] == kind and f"{meta.get('namespace', '')}/{meta['name']}" == name:
            return one
    return None


def _strange(items: Sequence[Item], names: Sequence[str]) -> str:
    there = {one["metadata"]["name"] for one in items if one["kind"] == "Node"}
    strange = sorted(there - set(names))
    return f"{', '.join(strange)}: in the cluster, and not in the inventory" if strange else ""


def _ready(items: Sequence[Item], names: Sequence[str]) -> str:
    ready = {one["metadata"]["name"]: _is_ready(one) for one in items if one["kind"] == "Node"}
    if missing := [name for name in names if name not in ready]:
        return f"{', '.join(missing)}: not in the cluster"
    waiting = [name for name in names if not ready[name]]
    return f"{', '.join(waiting)}: not ready" if waiting else ""


def _is_ready(node: Item) -> bool:
    # Unknown is what a node is that says nothing any more.
    conditions = node.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _deployment(one: Item | None, name: str, count: int) -> str:
    if one is None:
        return f"there is no deployment {name}"
    status = one.get("status", {})
    if why := _is_old(one, name):
        return why
    ready = min(status.get("readyReplicas", 0), status.get("updatedReplicas", 0))
    return "" if ready >= count else f"{name}: {ready} of {count} are ready"


def _daemonset(one: Item | None, name: str, count: int) -> str:
    if one is None:
        return f"there is no daemonset {name}"
    if not one["spec"]["template"]["spec"].get("hostNetwork"):
        return f"{name} is not in the network of its hosts"
    status = one.get("status", {})
    if why := _is_old(one, name):
        return why
    wanted = status.get("desiredNumberScheduled", 0)
    if wanted != count:
        return f"{name} is for {wanted} nodes, and there are {count}"
    ready = min(status.get("numberReady", 0), status.get("updatedNumberScheduled", 0))
    return "" if ready == count else f"{name}: {ready} of {count} are ready"


def _is_old(one: Item, name: str) -> str:
    """What is said of it is of what it was before."""
    seen = one.get("status", {}).get("observedGeneration", 0)
    return "" if seen >= one["metadata"].get("generation", 0) else f"{name}: its change was not seen yet"


def _storageclass(items: Sequence[Item]) -> str:
    classes = [one["metadata"] for one in items if one["kind"] == "StorageClass"]
    default = [meta["name"] for meta in classes if meta.get("annotations", {}).get(_DEFAULT) == "true"]
    if not classes:
        return "there is no storage class"
    # Of two, Kubernetes takes the newer one: nobody meant that.
    return "" if len(default) == 1 else f"{len(default)} of {len(classes)} storage classes are the default"


def main(words: Sequence[str]) -> int:
    """The exit code."""
    try:
        why = why_not(json.load(sys.stdin)["items"], words)
    except (ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{__doc__}\nmakes no sense: {error!r}\n")
        return 2
    if why:
        sys.stdout.write(f"{why}\n")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
