"""How a command ends without a traceback."""

from ...kit.messages import Message
from ...kit.speech import said

DONE, FAILED, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes. PARTIAL: it was done, but not everywhere or not all of it."""


class CommandFailed(Exception):
    """The command could not be done; the message is one line for a person and says what to do.

    ``code`` is FAILED, or USAGE when what was asked for can never be done.
    """

    def __init__(self, why: Message | str, code: int = FAILED) -> None:
        super().__init__(why)
        self.why, self.code = why, code

    def __str__(self) -> str:
        return said(self.why)
