"""Corosync's own words about why it did not start."""

import pytest

from harness.stack.sfha.membership.complaints import reason_in

BRACKET = "parser error: corosync.conf:3: Extra characters after opening bracket."
KEY = "Could not open /etc/corosync/authkey: No such file or directory"
WHOLE = (
    "Nov 29 16:00:00 notice  [MAIN  ] Corosync Cluster Engine 3.1.9 starting up\n"
    f"Nov 29 16:00:00 error   [MAIN  ] {BRACKET}\n"
    "Nov 29 16:00:00 error   [MAIN  ] Corosync Cluster Engine exiting with status 8 at main.c:1455.\n"
)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (WHOLE, BRACKET),
        (f"Nov 29 16:00:00.123456 error   [MAIN  ] {KEY}\nNov 29 warning [MAIN  ] afterwards", KEY),
        (f"Nov 29 16:00:00.123 [7] n1 corosync error   [MAIN  ] {KEY}", KEY),
        (f"Nov 29 16:00:00 [MAIN  ] {KEY}", KEY),
        ("sh: corosync: not found\n", "sh: corosync: not found"),
        ("", ""),
    ],
)
def test_the_reason_is_the_last_error_before_the_end(log: str, reason: str) -> None:
    assert reason_in(log) == reason
