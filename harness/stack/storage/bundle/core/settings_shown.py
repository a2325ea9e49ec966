"""What of the settings is shown: the keys that are known to be harmless, and of webhooks the host alone. Pure.

A list of what may be shown, not of what may not: a key that somebody adds, or writes wrong, is left out by itself.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from .scrubbing import LEFT_OUT, SHORTEST

HARMLESS = {
    "level",
    "every_s",
    "api.listen",
    "grpc.listen",
    "tls.certificate",
    "tls.clients",
    "alerts.routes.name",
    "alerts.routes.subject",
    "alerts.routes.least",
    "alerts.routes.after_s",
    "alerts.routes.again_s",
    "failover.address",
    "failover.metalogger",
    "failover.config",
    "failover.every_s",
    "failover.misses",
    "cluster.name",
    "cluster.listen",
    "cluster.every_s",
    "cluster.shared",
    "cluster.peers.name",
    "cluster.peers.address",
    "snapshots.folders.path",
    "snapshots.every_h",
    "snapshots.keep",
    "snapshots.keep_before",
    "snapshots.every_s",
    "tiering.folders.path",
    "tiering.folders.least_copies",
    "tiering.tiers.class",
    "tiering.tiers.idle_h",
    "tiering.every_s",
    "tiering.stay_h",
    "tiering.most_changes",
    "tiering.most_gib",
    "tiering.busy_kib_s",
}
INNER = {".".join(one.split(".")[:depth]) for one in HARMLESS for depth in range(1, one.count(".") + 1)}
RECEIVER = "alerts.routes.to"


def shown(document: object, at: str = "") -> object:
    """The settings for others to read; what is left out is counted, not named: a name may be a secret as well."""
    if isinstance(document, Mapping):
        known = {key: shown(value, _below(at, key)) for key, value in document.items() if _is_known(_below(at, key))}
        more = len(document) - len(known)
        return known | ({LEFT_OUT: f"{more} keys"} if more else {})
    if isinstance(document, list):
        return [shown(one, at) for one in document]
    if at == RECEIVER:
        return _host(str(document))
    return document if at in HARMLESS else LEFT_OUT


def secrets_in(document: object, at: str = "") -> Iterator[str]:
    """Texts that are not shown, for whatever else may have them in it (a log that could not reach a webhook)."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if not _is_known(_below(at, key)):
                yield str(key)
            yield from secrets_in(value, _below(at, key))
    elif isinstance(document, list):
        for one in document:
            yield from secrets_in(one, at)
    elif at == RECEIVER:
        yield from _parts(str(document))
    elif isinstance(document, str) and at not in HARMLESS:
        yield document


def _parts(address: str) -> Iterator[str]:
    """All of a webhook's address, and what of it may be logged alone."""
    split = urlsplit(address)
    if not split.scheme:
        return
    yield address
    words = [split.username or "", split.password or "", split.path, split.query, *split.path.split("/")]
    yield from (one for one in words if len(one) >= SHORTEST)


def _host(address: str) -> str:
    split = urlsplit(address)
    return f"{split.scheme}://{split.hostname or ''}" if split.scheme else address if address == "log" else LEFT_OUT


def _below(at: str, key: object) -> str:
    return f"{at}.{key}" if at else str(key)


def _is_known(at: str) -> bool:
    return at in HARMLESS or at in INNER or at == RECEIVER
