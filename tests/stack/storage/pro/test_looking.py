"""What is understood of what mfscli says, and a master that is silent."""

import json
import socket
from contextlib import closing

from harness.stack.storage.pro.looking import read, state_of

SAID = {
    "dataset": {
        "info": {"general": {"strver": "4.57.5", "last_metadata_save_time": 1000}},
        "chunkservers": [
            {"connected": True, "ip": "10.0.0.2", "hostname": "n2", "strver": "4.57.5", "pro": False},
            {"connected": False, "ip": "10.0.0.9", "hostname": "n9", "strver": None},
        ],
        "metaloggers": [{"hostname": "n2", "ip": "10.0.0.2", "strver": "4.57.5", "pro": False}],
        "mounts": [
            {"connected": True, "temporary": False, "hostname": "n3", "mount_point": "/mnt/mfs", "strver": "4.57.5"},
            {"connected": False, "temporary": False, "hostname": "n4", "mount_point": "/mnt/mfs", "strver": "4.57.5"},
        ],
    }
}


def test_what_it_says() -> None:
    found = read("mfsmaster", json.dumps(SAID), 1060.0, undergoal=3)
    assert found.error == ""
    assert (found.version, found.saved_ago_s, found.undergoal) == ("4.57.5", 60.0, 3)
    assert found.chunkservers == {"10.0.0.2": "4.57.5"}
    assert found.metaloggers == {"10.0.0.2": "4.57.5"}
    assert found.clients == {"n3:/mnt/mfs": "4.57.5"}, "who is gone needs no step"


def test_what_is_not_understood_is_said() -> None:
    for said in ("", "{}", json.dumps({"dataset": {"info": None}})):
        assert "not understood" in read("mfsmaster", said, 0.0).error


def test_a_silent_master_is_no_state_to_plan_for() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert "Connection refused" in state_of("127.0.0.1", port).error
