"""How a command ends without a traceback."""

from ...kit.command_line import FAILED
from ..unable import Unable

PARTIAL = 3
"""The exit code of what was done, but leaves something over."""


class CommandFailed(Unable):
    """It could not be done; the message is one line for a person and says what to do."""

    def __init__(self, why: str, code: int = FAILED) -> None:
        super().__init__(why)
        self.code = code
