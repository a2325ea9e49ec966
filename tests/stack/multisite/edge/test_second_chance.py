"""A real Caddy that believes that nobody is there, while nobody says so."""

import time
from pathlib import Path

import httpx

from harness.stack.multisite.inventory.snapshot import Backend, Service, Snapshot
from harness.stack.multisite.routing.core import ALL_DOWN, RETRIES, RETRY_EVERY_MS, configuration
from tests.stack.multisite.places import backend, bare_edge, eventually, free_ports, layout_in, take


def test_it_goes_and_sees(tmp_path: Path) -> None:
    layout, port = layout_in(tmp_path), free_ports(1)[0]
    verdicts = tmp_path / "verdicts" / "api"
    verdicts.mkdir(parents=True)
    (verdicts / f"127.0.0.1:{port}.down").touch()
    pool = (Backend("api", "dijon", "127.0.0.1", port, "/health", 0, 1),)

    def visited() -> tuple[int, float]:
        begun_s = time.monotonic()
        answer = httpx.post(f"http://{layout.listen[0]}/", headers={"Host": "api.test"}, timeout=20, verify=False)
        return answer.status_code, time.monotonic() - begun_s

    def only_after_all_its_tries() -> bool:
        status, took_s = visited()
        assert status == 200
        return took_s >= RETRIES * RETRY_EVERY_MS / 1000

    with bare_edge(tmp_path, layout), backend(tmp_path, "one", port):
        assert take(layout, configuration(Snapshot((Service("api", ("api.test",), {}, pool),)), layout)) == ""
        assert eventually(only_after_all_its_tries)
        (verdicts / ALL_DOWN).touch()
        assert visited()[0] == 503
