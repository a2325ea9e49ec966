"""How a command ends without a traceback."""

DONE, FAILED, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes. PARTIAL: it was done, but something is left over."""


class CommandFailed(Exception):
    """It could not be done; the message is one line for a person and says what to do."""

    def __init__(self, why: str, code: int = FAILED) -> None:
        super().__init__(why)
        self.code = code
