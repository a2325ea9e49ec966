"""What may have been meant, and what is allowed."""

from harness.mistakes import suggestion


def test_what_is_close_is_suggested_and_all_is_named() -> None:
    assert suggestion("dijn", ["thory", "dijon"]) == '; did you mean "dijon"? allowed: dijon, thory'
    assert suggestion("x", ["thory", "dijon"]) == "; allowed: dijon, thory"
    assert suggestion("x", []) == "; allowed: (none)"
