"""The tokens of a node on its disk, when several holders come at a time."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.stack.operations.tokens import Issued, Tokens

AT_A_TIME = 16


async def test_what_became_of_each_token_is_kept_though_all_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    issued = [Issued(f"{number:024x}", "key", f"10.99.0.{number}", 1) for number in range(AT_A_TIME)]
    path.write_text(json.dumps([asdict(one) for one in issued]))
    nowhere: Any = None  # no token is made here: the node behind them is not asked for anything
    tokens = Tokens(nowhere, b"", path)
    for state in ("pending", "done"):
        await asyncio.gather(*(tokens.advance(one.token_id, state=state, name=one.address) for one in issued))
        kept = {row["token_id"]: (row["state"], row["name"]) for row in json.loads(path.read_text())}
        assert kept == {one.token_id: (state, one.address) for one in issued}
