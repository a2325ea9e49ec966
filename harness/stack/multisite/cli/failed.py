"""How a command fails."""


class CommandFailed(Exception):
    """Says in one line what is wrong and what to do."""
