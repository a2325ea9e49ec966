"""Every error that the harness raises on purpose.

Three things are never mixed:

* A *violation* means that the product under test is wrong. It is a verdict, not an exception.
* A :class:`HarnessError` means that the harness cannot tell. The run is inconclusive.
* An AssertionError of a scenario fails it. Any other exception is a bug: of the scenario, or of the harness.
"""

import traceback


class HarnessError(Exception):
    """The harness could not do its work; the run proves nothing either way."""


class UsageError(HarnessError):
    """The user asked for something impossible; the message names what to change."""


class HostError(HarnessError):
    """This host lacks something; the message names it and how to get it."""


class EngineError(HarnessError):
    """An engine could not create, run or end a node."""


class FabricError(HarnessError):
    """The network between the nodes could not be built or changed."""


class FaultDidNotBite(HarnessError):
    """A fault was injected but could not be shown to have taken effect."""


class HealFailed(HarnessError):
    """A fault was lifted but its effect could still be seen."""


class FaultImpossible(HarnessError):
    """The engine or the host lacks what a fault needs; the message says what could do it."""


class NothingToAimAt(HarnessError):
    """There is nobody, at this moment, for a fault to hit."""


class ClusterGone(HarnessError):
    """Somebody else has taken the cluster down, and with it every fault that was in it."""


class DeadlinePassed(HarnessError):
    """A condition that was waited for did not come true in time."""


def leaves(error: BaseException) -> tuple[BaseException, ...]:
    """The errors that an error stands for: those of a group, else itself."""
    if isinstance(error, BaseExceptionGroup):
        return tuple(leaf for one in error.exceptions for leaf in leaves(one))
    return (error,)


def told(error: BaseException) -> str:
    """An error in words for a person: a HarnessError by its message, any other with its traceback."""
    if all(isinstance(one, HarnessError) for one in leaves(error)):
        return "; ".join(f"{type(one).__name__}: {one}" for one in leaves(error))
    return "".join(traceback.format_exception(error)).rstrip()
