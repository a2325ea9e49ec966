"""What an Allure report shows of a scenario: promises as tags, the waterfall, the timeline, verdicts, and logs."""

import io
import zipfile
from pathlib import Path

import allure

from harness.checks.darkness import dark_moments
from harness.checks.story import POWER_CUTS, power_cut_of
from harness.events import RunStarted
from harness.history import FILE_NAME, History
from harness.reporting.facts import dark_words, read_run
from harness.reporting.timeline import write_timeline
from harness.reporting.waterfall import waterfalls
from harness.topology import engine_words

VERDICTS = "verdicts.json"
TEXT, JSON, HTML = allure.attachment_type.TEXT, allure.attachment_type.JSON, allure.attachment_type.HTML


def attach_to_allure(run_directory: Path, *, with_logs: bool) -> None:
    """Attach a run to the current test. Logs and the history are attached only where somebody will look into them."""
    history = History.read(run_directory)
    for started in history.of(RunStarted):
        allure.dynamic.tag(*started.promises)
        allure.dynamic.parameter("seed", started.seed)
        allure.dynamic.parameter("engine", engine_words(started.engine, started.engines))
    allure.dynamic.parameter("dark without a fault", dark_words(dark_moments(history)))
    allure.dynamic.parameter("power cuts", POWER_CUTS[power_cut_of(history)])
    text = "\n\n".join(map(str, waterfalls(history))) or "no outage"
    allure.attach(text, name="failover waterfall", attachment_type=TEXT)
    allure.attach.file(str(write_timeline(read_run(run_directory))), name="timeline", attachment_type=HTML)
    allure.attach.file(str(run_directory / VERDICTS), name="verdicts", attachment_type=JSON)
    if with_logs:
        allure.attach.file(str(run_directory / FILE_NAME), name="history", extension="jsonl")
        allure.attach(_zipped(run_directory / "nodes"), name="logs of the nodes", extension="zip")


def _zipped(directory: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(directory))
    return packed.getvalue()
