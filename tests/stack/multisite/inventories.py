"""Random inventories, as people could have entered them."""

from typing import Any

from hypothesis import strategies as st

from harness.stack.multisite.inventory.declared import Declared

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
# Hyphens in the third and fourth place are of labels that say how they are encoded (RFC 5891, 4.2.3.1).
LABELS = st.one_of(
    NAMES.filter(lambda name: name[2:4] != "--"), st.sampled_from(["bücher", "ñandú", "例え", "почта", "βήτα"])
)
HEADER_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
HOSTS = st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(lambda one: one.exploded), st.just("web.lan"))


@st.composite
def inventories(draw: st.DrawFn, most_services: int = 6) -> Declared:
    """Sites, services and backends that fit together: weights of 0, empty pools, everything drained, unicode."""
    sites = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    services = draw(st.lists(NAMES, max_size=most_services, unique=True))
    weights, priorities = st.none() | st.integers(0, 100), st.none() | st.integers(0, 3)
    document: dict[str, Any] = {
        "sites": [
            {"name": name, "priority": draw(st.integers(0, 3)), "weight": draw(st.integers(0, 100))} for name in sites
        ],
        "services": [
            {
                "name": name,
                "domains": [f"{draw(LABELS)}.s{number}.test"],
                "headers": draw(st.dictionaries(st.sampled_from(["X-A", "Server"]), HEADER_VALUES)),
            }
            for number, name in enumerate(services)
        ],
        "backends": [
            {
                "service": service,
                "site": draw(st.sampled_from(sites)),
                "host": host,
                "port": draw(st.integers(1, 65535)),
                "weight": draw(weights),
                "priority": draw(priorities),
                "draining": draw(st.booleans()),
            }
            for service in services
            for host in draw(st.lists(HOSTS, max_size=4, unique=True))
        ],
    }
    return Declared.model_validate(document)
