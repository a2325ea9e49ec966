"""Settings, and mistakes in them."""

from pathlib import Path

import pytest

from harness.stack.kit.settings import ConfigError
from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.daemon.core.alerts import Route
from harness.stack.storage.daemon.example import EXAMPLE
from harness.stack.storage.daemon.settings import KEY_FILE, Cluster, Failover, Peer, Settings, load
from harness.stack.storage.daemon.tls import Tls
from harness.stack.storage.snapshots.core import Policy as SnapshotsPolicy
from harness.stack.storage.snapshots.taking import Wanted as SnapshotsWanted
from harness.stack.storage.tiering.core import Policy as TieringPolicy
from harness.stack.storage.tiering.core import Tier
from harness.stack.storage.tiering.looking import Wanted as TieringWanted
from harness.stack.storage.tiering.use import Folder


def test_the_example_says_what_is_so_without_it(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(EXAMPLE)
    assert load(tmp_path / "c.yml") == Settings() == load(tmp_path / "none.yml")


def test_everything_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(
        "level: 4\napi: {listen: '[::1]:9000'}\nevery_s: 3\nfailover: {address: 192.0.2.1, misses: 5}\n"
        "grpc: {listen: '0.0.0.0:9001'}\n"
        "tls: {certificate: /a.crt, key: /a.key, clients: /c.crt}\n"
        "alerts: {routes: [{to: 'https://pager.example/x', name: 'lost-*', least: critical, after_s: 60,\n"
        "  again_s: 600}]}\n"
        "snapshots: {folders: [{path: /m/a}, {path: /m/b}], every_h: 6, keep: 3, keep_before: 1, every_s: 5}\n"
        "tiering: {folders: [{path: /m/a, least_copies: 3}], tiers: [{class: 3CP}, {class: 2CP, idle_h: 48}],\n"
        "  every_s: 60, stay_h: 24, most_changes: 2, most_gib: 10, busy_kib_s: 512}\n"
        "cluster: {name: n1, listen: '192.0.2.1:8413', shared: [/a],\n"
        "  peers: [{name: n2, address: '[2001:db8::2]:8413'}]}\n"
    )
    cluster = Cluster("n1", "192.0.2.1", 8413, KEY_FILE, (Peer("n2", "2001:db8::2", 8413),), ("/a",))
    route = Route("https://pager.example/x", "lost-*", "*", "critical", 60, 600)
    tls = Tls(Path("/a.crt"), Path("/a.key"), Path("/c.crt"))
    tiering = TieringWanted(
        (Folder(Path("/m/a"), 3),),
        TieringPolicy(
            (Tier("3CP"), Tier("2CP", 48 * 3600)),
            busy_bytes_per_s=512 << 10,
            stay_s=24 * 3600,
            most_changes=2,
            most_bytes=10 << 30,
        ),
        60,
    )
    snapshots = SnapshotsWanted((Path("/m/a"), Path("/m/b")), SnapshotsPolicy(6 * 3600, 3, 1), 5)
    assert load(tmp_path / "c.yml") == Settings(
        Level.ADVANCED,
        "::1",
        9000,
        3,
        ("0.0.0.0", 9001),
        tls,
        Failover("192.0.2.1", misses=5),
        cluster,
        tiering,
        snapshots,
        (route,),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level: 6", "level"),
        ("leve: 1", "leve"),
        ("api: {listen: 8411}", "listen"),
        ("api: {listen: localhost}", "must be ADDRESS:PORT"),
        ("alerts: {routes: [{to: somebody}]}", "must be log, or an address"),
        ("alerts: {routes: [{to: log, least: bad}]}", "must be one of info, warning, critical"),
        ("level: [", "c.yml"),
        ("tls: {certificate: /a.crt}", "tls.key"),
        ("tls: {certificate: /a.crt, key: /a.key, client: /c.crt}", "tls.client"),
        ("failover: {address: mfsmaster}", "must be an IP address"),
        ("failover: {address: 192.0.2.1, every_s: 10}", "every_s"),
        ("cluster: {name: n1}", "cluster.listen"),
        ("snapshots: {folders: []}", "must name at least one"),
        ("snapshots: {folders: [{path: m}]}", "must be absolute"),
        ("snapshots: {folders: [{path: /m}], keeps: 1}", "snapshots.keeps"),
        ("tiering: {tiers: [{class: a}, {class: b, idle_h: 1}]}", "must name at least one"),
        ("tiering: {folders: [{path: /m}], tiers: [{class: a}]}", "must be two at least"),
        (
            "tiering: {folders: [{path: /m}], tiers: [{class: a, idle_h: 1}, {class: b, idle_h: 2}]}",
            "the hottest first",
        ),
        ("tiering: {folders: [{path: /m}], tiers: [{class: a}, {class: b}]}", "each later one with more"),
        ("tiering: {folders: [{path: /m}], tiers: [{class: a}, {class: a, idle_h: 1}]}", "a class each"),
        (
            "tiering: {folders: [{path: /m, least_copies: 0}], tiers: [{class: a}, {class: b, idle_h: 1}]}",
            "least_copies",
        ),
        ("cluster: {name: n1, listen: '1.2.3.4:5', peers: [{name: n1, address: '1.2.3.4:6'}]}", "each host once"),
        ("cluster: {name: n1, listen: '1.2.3.4:5', peers: [{name: n2}]}", "address"),
        ("cluster: {name: n1, listen: '1.2.3.4:5', shared: [srv]}", "must be absolute"),
        ("cluster: {name: n1, listen: '1.2.3.4:5', shared: [{a: b}]}", "must be a list of texts"),
        ("cluster: {name: n1, listen: '1.2.3.4:5', key: 0123}", "key"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.yml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "c.yml")
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1
