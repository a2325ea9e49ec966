"""What suites and subjects are written with: the names of ``from harness import ...``.

These stay as they are, or are named in the changelog. Everything else is the harness's own.
"""

from harness.addresses import AddressPlan
from harness.checks.declared import check
from harness.checks.expected import Expected, each_address
from harness.checks.verdict import Finding, Outcome, Verdict, holds, unknown, violated
from harness.cluster import Cluster
from harness.conditions import (
    Condition,
    also_held_by_one_of,
    answers,
    held_by_nobody,
    held_by_one_of,
    quorate,
    said,
    without_quorum,
)
from harness.design import ClusterDesign
from harness.engines.engine import Engine, NodeFile
from harness.errors import DeadlinePassed, FaultDidNotBite, HarnessError, HealFailed, UsageError
from harness.events import (
    Event,
    FaultHealed,
    FaultInjected,
    MembershipSeen,
    NodeStarted,
    NodeStopped,
    SubjectSaid,
    WatchEnded,
    WatchStarted,
)
from harness.expectations import (
    agree_afterwards,
    answered_within,
    bank_balances,
    clients_not_stranded,
    exclusive_lock,
    linearizable_counter,
    linearizable_kv,
    linearizable_list,
    linearizable_queue,
    linearizable_register,
    linearizable_set,
    never_twice,
    never_without_quorum,
    nothing_lost,
    one_answerer,
    one_holder,
    one_writer,
    only_the_holder_speaks,
    outage_at_most,
    outage_between,
    posts_executed_once,
    queue_delivers,
    quorum_where_votes_say,
    replicas_as_desired,
    requests_failed_at_most_in_flight,
    session_guarantees,
    set_complete,
)
from harness.faults import disk, names, network, packets, process, resources, site
from harness.faults.disk import *  # noqa: F403
from harness.faults.names import *  # noqa: F403
from harness.faults.network import *  # noqa: F403
from harness.faults.packets import *  # noqa: F403
from harness.faults.process import *  # noqa: F403
from harness.faults.resources import *  # noqa: F403
from harness.faults.select import Selector, aim, all_nodes, follower_of, holder_of, leader, node, site_of
from harness.faults.site import *  # noqa: F403
from harness.history import History, Recorder
from harness.ledger import ClusterLedger
from harness.pytest_design import design_for
from harness.scenario import until_it_bites
from harness.subjects.boot import starts_at_boot
from harness.subjects.programs import ProgramProbe
from harness.subjects.subject import Gate, OperatorAction, Probe, Subject, known_model
from harness.topology import Topology
from harness.traffic import Traffic
from harness.workloads.client import Client, Refused, Stream, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Load, Route

__all__ = [
    "AddressPlan",
    "Client",
    "Cluster",
    "ClusterDesign",
    "ClusterLedger",
    "Condition",
    "DeadlinePassed",
    "Engine",
    "Event",
    "Expected",
    "FaultDidNotBite",
    "FaultHealed",
    "FaultInjected",
    "Finding",
    "Gate",
    "HarnessError",
    "HealFailed",
    "History",
    "Load",
    "MembershipSeen",
    "NodeFile",
    "NodeStarted",
    "NodeStopped",
    "OperatorAction",
    "Outcome",
    "Probe",
    "ProgramProbe",
    "Recorder",
    "Refused",
    "Request",
    "Route",
    "Selector",
    "Stream",
    "Subject",
    "SubjectSaid",
    "Topology",
    "Traffic",
    "Unclear",
    "UsageError",
    "Verdict",
    "WatchEnded",
    "WatchStarted",
    "agree_afterwards",
    "aim",
    "all_nodes",
    "also_held_by_one_of",
    "answered_within",
    "answers",
    "bank_balances",
    "check",
    "clients_not_stranded",
    "design_for",
    "each_address",
    "exclusive_lock",
    "follower_of",
    "held_by_nobody",
    "held_by_one_of",
    "holder_of",
    "holds",
    "known_model",
    "leader",
    "linearizable_counter",
    "linearizable_kv",
    "linearizable_list",
    "linearizable_queue",
    "linearizable_register",
    "linearizable_set",
    "never_twice",
    "never_without_quorum",
    "node",
    "nothing_lost",
    "one_answerer",
    "one_holder",
    "one_writer",
    "only_the_holder_speaks",
    "outage_at_most",
    "outage_between",
    "posts_executed_once",
    "queue_delivers",
    "quorate",
    "quorum_where_votes_say",
    "replicas_as_desired",
    "requests_failed_at_most_in_flight",
    "said",
    "session_guarantees",
    "set_complete",
    "site_of",
    "starts_at_boot",
    "unknown",
    "until_it_bites",
    "violated",
    "without_quorum",
]
__all__ += disk.__all__
__all__ += names.__all__
__all__ += network.__all__
__all__ += packets.__all__
__all__ += process.__all__
__all__ += resources.__all__
__all__ += site.__all__
