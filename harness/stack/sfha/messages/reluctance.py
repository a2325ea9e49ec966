"""Why a node would rather not lead: "reluctant." and the name of the reason, and what is said with it."""

TEXTS: dict[str, tuple[str, str]] = {
    "reluctant.disk": ("no room on its disk", "plus de place sur son disque"),
    "status.role.reluctant": ("would rather not lead ({why})", "préfère ne pas diriger ({why})"),
    "status.warn.reluctant": (
        "{name} would rather not lead: {why}; `sfha doctor` on it says more",
        "{name} préfère ne pas diriger : {why} ; `sfha doctor` là-bas en dit plus",
    ),
    "failover.reluctant": (
        "{node} would rather not lead; `sfha status` says why",
        "{node} préfère ne pas diriger ; `sfha status` dit pourquoi",
    ),
    "event.reluctant": ("this node would rather not lead: {why}", "ce nœud préfère ne pas diriger : {why}"),
    "event.willing": ("this node may lead again: over is {why}", "ce nœud peut de nouveau diriger : fini, {why}"),
}
