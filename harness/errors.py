"""Every error the harness raises on purpose, drawn as a tree.

Three things are never mixed:

* a *violation* is the product under test being wrong: it is a verdict, not an exception;
* a :class:`HarnessError` is the harness not being able to tell: the run is inconclusive;
* an ``AssertionError`` or any other exception is a bug of ours.
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
    """What a fault needs of the engine or the host is not there; the message says what is."""


class NothingToAimAt(HarnessError):
    """What a fault is meant for is not there at this moment."""


class ClusterGone(HarnessError):
    """Somebody else has taken the cluster down, and with it all that was done to it."""


class DeadlinePassed(HarnessError):
    """A condition that was waited for did not come true in time."""


def leaves(error: BaseException) -> tuple[BaseException, ...]:
    """The errors that an error stands for: those of a group, else itself."""
    if isinstance(error, BaseExceptionGroup):
        return tuple(leaf for one in error.exceptions for leaf in leaves(one))
    return (error,)


def told(error: BaseException) -> str:
    """An error for a person: those of ours by their words, any other with where it came from."""
    if all(isinstance(one, HarnessError) for one in leaves(error)):
        return "; ".join(f"{type(one).__name__}: {one}" for one in leaves(error))
    return "".join(traceback.format_exception(error)).rstrip()
