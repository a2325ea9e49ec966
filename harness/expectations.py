"""What a scenario expects of its whole history: checks by the names that scenarios say.

Each takes the arguments of its check, and gives what is written down, so that a stored run can be judged again by
the very same expectations.
"""

from harness.checks import acknowledging, durability, latency, outage, quorum, replicas, requests, vip, wire, writers
from harness.checks.consistency import named
from harness.checks.expected import Expected

__all__ = (
    "Expected",
    "acknowledged_gap_at_most",
    "agree_afterwards",
    "answered_within",
    "bank_balances",
    "clients_not_stranded",
    "exclusive_lock",
    "linearizable_counter",
    "linearizable_kv",
    "linearizable_list",
    "linearizable_queue",
    "linearizable_register",
    "linearizable_set",
    "list_transactions",
    "never_twice",
    "never_without_quorum",
    "nothing_lost",
    "one_acknowledges",
    "one_answerer",
    "one_holder",
    "one_writer",
    "only_the_holder_speaks",
    "outage_at_most",
    "outage_between",
    "posts_executed_once",
    "queue_delivers",
    "quorum_where_votes_say",
    "register_transactions",
    "replicas_as_desired",
    "requests_failed_at_most_in_flight",
    "sequential_register",
    "session_guarantees",
    "set_complete",
    "writing_gap_at_most",
)

# Of an address.
one_holder = vip.one_holder.expected
one_answerer = wire.one_answerer.expected
only_the_holder_speaks = wire.only_the_holder_speaks.expected
never_without_quorum = vip.never_without_quorum.expected
clients_not_stranded = wire.clients_not_stranded.expected
outage_at_most = outage.outage_at_most.expected
outage_between = outage.outage_between.expected

# Of the cluster.
quorum_where_votes_say = quorum.quorum_where_votes_say.expected
agree_afterwards = quorum.agree_afterwards.expected

# Of services, and of what clients were told.
one_writer = writers.one_writer.expected
writing_gap_at_most = writers.writing_gap_at_most.expected
one_acknowledges = acknowledging.one_acknowledges.expected
acknowledged_gap_at_most = acknowledging.acknowledged_gap_at_most.expected
nothing_lost = durability.nothing_lost.expected
answered_within = latency.answered_within.expected
posts_executed_once = requests.posts_executed_once.expected
never_twice = replicas.never_twice.expected
replicas_as_desired = replicas.replicas_as_desired.expected
requests_failed_at_most_in_flight = requests.requests_failed_at_most_in_flight.expected

# Of consistency: ``key`` is that of one object, or of those below it (None: there is nothing else in the history).
linearizable_register = named.linearizable_register.expected
linearizable_kv = named.linearizable_kv.expected
linearizable_set = named.linearizable_set.expected
linearizable_list = named.linearizable_list.expected
linearizable_queue = named.linearizable_queue.expected
linearizable_counter = named.linearizable_counter.expected
sequential_register = named.sequential_register.expected
session_guarantees = named.session_guarantees.expected
exclusive_lock = named.exclusive_lock.expected
set_complete = named.set_complete.expected
queue_delivers = named.queue_delivers.expected
bank_balances = named.bank_balances.expected
list_transactions = named.list_transactions.expected
register_transactions = named.register_transactions.expected
