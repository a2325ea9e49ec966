"""What undoes a fault, as data: any process can carry it out, with or without whoever injected the fault.

Every action may be carried out twice, and when there is nothing left to undo (its node lost power, say). Whoever
brings a fault of another kind than these has ``RunInNode`` and ``RunInFabric``. Only standard modules are imported
here: the keeper, which carries it all out when we are dead, starts without any other.
"""

from harness.healing.host import DeleteTable, EndBeside, Family, PowerOn, RemoveLink, RunInFabric, SetLinkUp
from harness.healing.nodes import (
    ContinueProcess,
    EndMarked,
    GoodSectors,
    LiftLimit,
    LimitFiles,
    QuickDisk,
    RestoreBytes,
    RestoreFile,
    ResumeNode,
    RunInNode,
    RunInNodeTold,
    SetClock,
    Unmount,
    group_of,
)

__all__ = (
    "ContinueProcess",
    "DeleteTable",
    "EndBeside",
    "EndMarked",
    "Family",
    "GoodSectors",
    "HealAction",
    "LiftLimit",
    "LimitFiles",
    "PowerOn",
    "QuickDisk",
    "RemoveLink",
    "RestoreBytes",
    "RestoreFile",
    "ResumeNode",
    "RunInFabric",
    "RunInNode",
    "RunInNodeTold",
    "SetClock",
    "SetLinkUp",
    "Unmount",
    "group_of",
)

HealAction = (
    ResumeNode
    | PowerOn
    | ContinueProcess
    | LimitFiles
    | EndMarked
    | EndBeside
    | LiftLimit
    | RestoreFile
    | RestoreBytes
    | SetClock
    | QuickDisk
    | GoodSectors
    | RunInNode
    | RunInNodeTold
    | RunInFabric
    | DeleteTable
    | SetLinkUp
    | RemoveLink
    | Unmount
)
