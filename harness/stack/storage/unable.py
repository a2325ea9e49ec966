"""What ends a command or a request in one line."""


class Unable(Exception):
    """It cannot be done; the message is one line for a person, and says what to do where that is known."""
