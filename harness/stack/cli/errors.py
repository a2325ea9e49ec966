"""How a command fails without a traceback."""


class CommandFailed(Exception):
    """The command could not be done; the message is one line for a person."""
