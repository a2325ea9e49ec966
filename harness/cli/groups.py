"""Groups of commands that are made only when they are called."""

import click
from click.exceptions import NoSuchCommand


class Named(click.Group):
    """A group that knows its commands by their names alone, and proposes the nearest for a name that is none."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names. Raises NoSuchCommand, which tells what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            raise NoSuchCommand(error.command_name, possibilities=self.list_commands(ctx), ctx=ctx) from None
