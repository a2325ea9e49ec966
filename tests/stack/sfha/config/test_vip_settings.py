"""Settings of an address: each has limits, is explained, and does not move the address."""

from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from harness.stack.kit.messages import texts
from harness.stack.sfha.config.load import ConfigError, Vip, load_config
from harness.stack.sfha.config.vip_settings import NAMES, USUAL, VipSettings

VIPS = "cluster: {name: demo}\nnode: {name: n1}\nvips:\n- {name: web, ip: 10.0.0.100/24, %s}\n"
WEB = Vip("web", "10.0.0.100", 24, "eth0")


@pytest.mark.parametrize("field", fields(VipSettings), ids=lambda field: str(field.name))
def test_a_setting_is_read_within_its_limits_and_refused_beyond(field: object) -> None:
    name, about = getattr(field, "name"), getattr(field, "metadata")  # noqa: B009 - a Field of any type
    for value in (about["lowest"], about["highest"]):
        (vip,) = load_config(Path("config.yml"), VIPS % f"{name}: {value}").vips
        assert asdict(vip.settings) == asdict(USUAL) | {name: value}
    for value in (about["lowest"] - 1, about["highest"] + 1, "x"):
        with pytest.raises(ConfigError, match=rf"config.yml:4: vips\[0\].{name}: must be"):
            load_config(Path("config.yml"), VIPS % f"{name}: {value}")


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_explained_where_it_is_set_and_in_the_guide(name: str) -> None:
    for explained in texts()["more.vip.set"]:
        assert name in explained
    assert f"`{name}`" in (Path(__file__).parents[4] / "docs/sfha.md").read_text()


def test_an_address_stays_whatever_is_set_of_it_and_nothing_else() -> None:
    assert WEB.stays_as(replace(WEB, settings=VipSettings(1)))
    assert not WEB.stays_as(None)
    for other in (replace(WEB, interface="eth1"), replace(WEB, prefix=32), replace(WEB, guarded=False)):
        assert not WEB.stays_as(other)
