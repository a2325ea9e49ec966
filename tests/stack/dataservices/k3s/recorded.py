"""What kubectl says of a K3s, in the shapes of Kubernetes (v1, apps/v1): the fields that matter and those around."""

import copy
from typing import Any

Item = dict[str, Any]


def node(name: str, ready: str = "True", *, master: bool = False) -> Item:
    """Of three conditions that are well, and Ready. A node that is silent has them all Unknown."""
    roles = {"node-role.kubernetes.io/control-plane": "true", "node-role.kubernetes.io/etcd": "true"} if master else {}
    pressure = [
        {"type": kind, "status": "Unknown" if ready == "Unknown" else "False", "reason": f"KubeletHas{kind}"}
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **roles}},
        "spec": {"podCIDR": "10.42.0.0/24", "providerID": f"k3s://{name}"},
        "status": {"conditions": [*pressure, {"type": "Ready", "status": ready, "reason": "KubeletReady"}]},
    }


def deployment(namespace: str, name: str, wanted: int, ready: int) -> Item:
    """One whose change was seen. Of what is 0 the API says nothing."""
    counts = {"readyReplicas": ready, "availableReplicas": ready} if ready else {"unavailableReplicas": wanted}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "generation": 2},
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": name}}, "template": _template(name)},
        "status": {"observedGeneration": 2, "replicas": wanted, "updatedReplicas": wanted, **counts},
    }


def daemonset(namespace: str, name: str, wanted: int, ready: int, *, host_network: bool = True) -> Item:
    """One whose change was seen."""
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace, "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": _template(name, host_network)},
        "status": {
            "currentNumberScheduled": wanted,
            "desiredNumberScheduled": wanted,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "numberAvailable": ready,
            "updatedNumberScheduled": wanted,
            "observedGeneration": 1,
        },
    }


def _template(name: str, host_network: bool = False) -> Item:
    spec: Item = {"containers": [{"name": name, "image": name}]}
    if host_network:
        spec["hostNetwork"] = True
    return {"metadata": {"labels": {"app": name}}, "spec": spec}


def storageclass(name: str = "local-path", *, default: bool = True) -> Item:
    """As K3s brings it."""
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "rancher.io/local-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


MASTERS, WORKERS = ("m-01", "m-02", "m-03"), ("w-01", "w-02")
NODES = (*MASTERS, *WORKERS)
_WELL = [
    *(node(name, master=name in MASTERS) for name in NODES),
    deployment("kube-system", "coredns", 2, 2),
    deployment("kube-system", "local-path-provisioner", 1, 1),
    daemonset("keyservices-ingress", "ingress", 5, 5),
    storageclass(),
]


def well() -> list[Item]:
    """All is up; a copy that may be spoilt."""
    return copy.deepcopy(_WELL)
