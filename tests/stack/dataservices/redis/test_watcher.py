"""Whom the watcher believes."""

import pytest

from harness.stack.dataservices.redis.watcher import named_by_most, switched_to

A, B = ("10.0.0.1", "6379"), ("10.0.0.2", "6379")


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ([A, A, A], A),
        ([A, A, B], A),
        ([None, B, B], B),
        ([None, None, B], None),
        ([A, B, None], None),
        ([None, None, None], None),
        ([], None),
    ],
)
def test_more_than_half_of_all_sentinels_have_to_name_it(
    answers: list[tuple[str, str] | None], named: tuple[str, str] | None
) -> None:
    assert named_by_most(answers) == named


@pytest.mark.parametrize(
    ("message", "address"),
    [
        (["message", "+switch-master", "main 10.0.0.1 6379 10.0.0.2 6379"], B),
        (["message", "+switch-master", "other 10.0.0.1 6379 10.0.0.2 6379"], None),
        (["message", "+switch-master", "main 10.0.0.1 6379"], None),
        (["pong", ""], None),
        ("PONG", None),
        (None, None),
    ],
)
def test_only_a_switch_of_our_master_is_followed(message: object, address: tuple[str, str] | None) -> None:
    assert switched_to(message, "main") == address
