"""The command ``harness``: its subcommands are loaded only when they are called."""

import importlib
import importlib.util
import sys
from dataclasses import dataclass

import click

from harness import __version__
from harness.errors import HarnessError

HARNESS_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a subcommand is (module and attribute), and its line in the help."""

    module: str
    attribute: str
    help: str


# Shown in this order. The help is written here so that showing it imports none of them.
COMMANDS = {
    "doctor": Entry("harness.cli.doctor", "doctor_command", "Say what this host can run and how to get the rest."),
    "image": Entry("harness.cli.image", "image_command", "Build, list and prune node images."),
    "engine": Entry("harness.cli.engine", "engine_command", "Install and run what the engines docker and lxd need."),
    "up": Entry("harness.cli.cluster", "up_command", "Start a cluster and leave it up."),
    "ps": Entry("harness.cli.cluster", "ps_command", "List the clusters that are up, and their nodes."),
    "exec": Entry("harness.cli.cluster", "exec_command", "Run a command inside a node."),
    "fault": Entry("harness.cli.fault", "fault_command", "Inject a fault into a cluster that is up, or heal it."),
    "down": Entry("harness.cli.cluster", "down_command", "End a cluster that is up."),
    "judge": Entry("harness.cli.judge", "judge_command", "Judge a stored run again."),
    "bench": Entry("harness.cli.bench", "bench_command", "Measure the figures in docs/benchmarks.md."),
    "reap": Entry("harness.cli.reap", "reap_command", "Remove what dead runs left behind."),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported when they are called, and hidden while their module is not there."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the subcommands that this installation has."""
        return [name for name, entry in COMMANDS.items() if importlib.util.find_spec(entry.module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name; None when there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or importlib.util.find_spec(entry.module) is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
def group() -> None:
    """Chaos and end-to-end tests for high-availability stacks."""


def main() -> None:
    """Run the command line; the exit code of a harness error or wrong usage is 2."""
    try:
        code = group.main(standalone_mode=False)
    except click.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except HarnessError as error:
        click.echo(f"harness: {error}", err=True)
        code = HARNESS_ERROR
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
