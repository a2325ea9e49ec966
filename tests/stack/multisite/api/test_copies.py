"""What machines with a copy say to each other over the API: by a key that no person has."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from harness.stack.multisite.api.app import application
from harness.stack.multisite.copies.messages import KEY_HEADER
from harness.stack.multisite.copies.peers import Peer
from tests.stack.multisite.api.conftest import Api, Standing, placing_of
from tests.stack.multisite.copies.machines import machines

NOTHING = {"mark": {"term": {"count": 0, "leader": ""}, "number": 0}}


def test_a_platform_on_one_machine_has_no_copies(api: Api) -> None:
    assert api("GET", "/copies").status_code == 404
    assert api("PUT", "/copies", json=NOTHING).status_code == 401, "a token is no key"


def test_a_change_goes_over_the_api_and_nobody_else_takes_part(tmp_path: Path) -> None:
    with machines(tmp_path) as (e1, e2, w):
        applications = {
            one.name: TestClient(application(one.database, Standing(placing_of(one.database), copies=one.copies)))
            for one in (e1, e2, w)
        }

        def peer(name: str, key: str) -> Peer:
            found = Peer(name, "http://nowhere.test", key)
            found._client.close()
            found._client = applications[name]
            applications[name].headers[KEY_HEADER] = key
            return found

        e1.peers.each = (peer("e2", "k" * 32), peer("w", "wrong"))
        assert e1.lead(), "two of three"
        assert e1.adds("dijon")
        assert (e2.sites, w.sites) == ({"dijon"}, set())
        token: Any = {"X-API-Token": e1.makes_token("me")}
        e1.give()
        assert applications["e1"].get("/copies", headers=token).json() == {
            "name": "e1",
            "leads": True,
            "leader": "e1",
            "address": "192.0.2.1",
            "behind": ["w"],
        }
        refused = applications["e2"].post("/sites", json={"name": "lyon"}, headers=token)
        assert refused.status_code == 503
        assert refused.json()["detail"] == "e2 takes no changes: e1 leads"
        escape = {"files": {"pki/../../x": {"content": "", "written_ns": 1}}}
        assert applications["e2"].put("/copies/certificates", json=escape).status_code == 422
