"""Settings are shown by a list of what may be, so that whatever is new in them is not."""

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.bundle.core.scrubbing import LEFT_OUT
from harness.stack.storage.bundle.core.settings_shown import secrets_in, shown


def test_what_is_harmless_is_shown() -> None:
    document = {
        "level": 3,
        "api": {"listen": "127.0.0.1:8411"},
        "alerts": {
            "routes": [{"to": "log", "least": "info"}, {"to": "https://u:p@hooks.example/T0/secret", "name": "*"}]
        },
        "cluster": {"name": "n1", "key_file": "/etc/x", "peers": [{"name": "n2", "address": "192.0.2.2:8413"}]},
    }
    assert shown(document) == {
        "level": 3,
        "api": {"listen": "127.0.0.1:8411"},
        "alerts": {"routes": [{"to": "log", "least": "info"}, {"to": "https://hooks.example", "name": "*"}]},
        "cluster": {"name": "n1", "peers": [{"name": "n2", "address": "192.0.2.2:8413"}], LEFT_OUT: "1 keys"},
    }
    assert {"https://u:p@hooks.example/T0/secret", "secret", "/T0/secret"} <= set(secrets_in(document))


values = st.recursive(st.text(min_size=8, max_size=20), lambda inner: st.lists(inner, max_size=2), max_leaves=4)
known = st.sampled_from(["level", "api", "listen", "alerts", "routes", "cluster", "peers", "name"])
documents = st.recursive(
    st.dictionaries(known | st.text(min_size=8, max_size=12), values, max_size=4),
    lambda inner: st.dictionaries(known, inner | st.lists(inner, max_size=2), max_size=4),
    max_leaves=6,
)


@given(documents, st.text("QXZ", min_size=12, max_size=12), st.sampled_from(["", "api", "alerts", "cluster"]))
def test_a_key_that_is_unknown_is_never_shown(document: dict[str, object], canary: str, where: str) -> None:
    planted = {canary: canary}
    found = shown({**document, where: planted} if where else {**document, **planted})
    assert canary not in str(found)
