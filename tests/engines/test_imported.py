"""Images by what they hold, and who needs them."""

import os
from pathlib import Path

import pytest

from harness.engines.engine import NodeDefinition
from harness.engines.imported import NAMED, image_key, images_of_nodes
from tests.engines.hosted_runs import engines


def test_an_image_of_somebodys_own_is_called_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    first = image_key(tmp_path)
    assert first.startswith(NAMED)
    assert image_key(tmp_path) == first
    (tmp_path / "usr/more").touch()
    assert image_key(tmp_path) != first


@pytest.mark.skipif(os.geteuid() != 0, reason="nodes need root")
async def test_what_nodes_are_made_of_is_known_while_they_are_there(node_image: Path) -> None:
    layer = node_image.parent.parent / "layer-of-this-test" / "rootfs"
    layer.mkdir(parents=True)
    try:
        async with engines("local") as make:
            await make().create(NodeDefinition("n1", node_image, layers=(layer,)))
            assert {node_image.parent.name, "layer-of-this-test"} <= images_of_nodes()
        assert "layer-of-this-test" not in images_of_nodes()
    finally:
        layer.rmdir()
        layer.parent.rmdir()
