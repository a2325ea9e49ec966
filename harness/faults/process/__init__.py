"""Faults of machines and processes."""

from harness.faults.process.exhaust_files import ExhaustFiles
from harness.faults.process.exhaust_pids import ExhaustPids
from harness.faults.process.freeze import Freeze
from harness.faults.process.kill import Kill
from harness.faults.process.kill_daemon import KillDaemon
from harness.faults.process.restart_loop import RestartLoop
from harness.faults.process.slow import Slow
from harness.faults.process.squeeze_memory import SqueezeMemory
from harness.faults.process.suspend import Suspend
from harness.faults.process.terminate import Terminate

__all__ = (
    "ExhaustFiles",
    "ExhaustPids",
    "Freeze",
    "Kill",
    "KillDaemon",
    "RestartLoop",
    "Slow",
    "SqueezeMemory",
    "Suspend",
    "Terminate",
)
