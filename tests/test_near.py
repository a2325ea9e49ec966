"""Names that may have been meant."""

from harness.near import meant


def test_the_nearest_name_is_proposed_and_of_far_ones_none() -> None:
    assert meant("cut-sit", ("cut-site", "kill", "cut-sites")) == '; did you mean "cut-site"?'
    assert meant("earthquake", ("cut-site", "kill")) == ""
    assert meant("kill", ()) == ""
