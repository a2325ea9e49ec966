"""What "no write was lost" means in these runs: what the writes had to survive."""

from collections.abc import Sequence

from harness.checks.story import POWER_CUTS
from harness.reporting.facts import RunFacts


def survived_words(runs: Sequence[RunFacts]) -> str:
    """Which power cuts the acknowledged writes of these runs were to survive, and on which engines."""
    parts = []
    for cut, words in POWER_CUTS.items():
        those = [run for run in runs if run.power_cut == cut and run.acknowledged]
        if those:
            engines = ", ".join(sorted({run.engine for run in those if run.engine}))
            parts.append(f"in {len(those)} {words}" + (f" ({engines})" if engines and cut != "none" else ""))
    return f"of the runs with writes: {'; '.join(parts)}" if parts else ""
