"""Changes of the checks that nothing outside can tell: each was looked at, and why it is none is written down.

Named by module, the text of the line, and the change. A line that is changed is no longer known here, so what is
said of it has to be said again.
"""

DISTINCT = "ranks are distinct, so none is equal to another's"
SENTINEL = "any negative number, or any number out of the way, does"
FIRST = "node 0 is the initial value and never stands for what a process did"
SPEED = "less, or later, is left out: slower, with the same answer"
LIMIT = "a limit a little higher or lower"
ORDER = "only the order of positions counts, and it stays"
PROOF = "another proof of the same fault, as large"
IMPLIED = "what is added follows from what is there"

EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("accounts", "MAX_EACH = 10", "10 to 11"): LIMIT,
    ("anomalies", "if of_kind is None:", "Is to IsNot"): PROOF,
    ("append_transactions", "after = order[len(seen) : len(seen) + 1] or unseen.get(step.key, ())", "1 to 2"): IMPLIED,
    ("blocks", "forward = np.flatnonzero(first_return < last_call)", "Lt to LtE"): DISTINCT,
    ("blocks", "room = int(call.max()) + 8", "8 to 9"): SENTINEL,
    ("blocks", "room = int(blocks.call.max()) + 8", "8 to 9"): SENTINEL,
    ("counter", "after = reads[operations.call[reads] > operations.ret[increment]]", "Gt to GtE"): DISTINCT,
    ("counter", "int(after[np.argmin(operations.result[after])]),", "argmin to argmax"): PROOF,
    (
        "delivery",
        "for value, place in zip(values.tolist(), owner.tolist(), strict=True):",
        "True to False",
    ): "both are of the same length",
    ("delivery", "drained=bool(np.any(operations.call[empties] > last)),", "Gt to GtE"): DISTINCT,
    ("delivery", "last = int(operations.ret[sure].max()) if len(sure) else -1", "1 to 2"): SENTINEL,
    ("graph", "graph = rustworkx.PyDiGraph(multigraph=False)", "False to True"): "components and orders are the same",
    ("growing", "last = int(read_places.max()) + 1", "1 to 2"): ORDER,
    ("growing", "levels = np.cumsum(np.concatenate([[0], lengths[1:] != lengths[:-1]]))", "0 to 1"): ORDER,
    (
        "locks",
        "end_s = float(operations.invoked_s[release]) if release >= 0 else _INF",
        "GtE to Gt",
    ): "an acquire comes first, so no release is in row 0",
    (
        "locks",
        "released_s = float(operations.completed_s[release]) if release >= 0 else _INF",
        "GtE to Gt",
    ): "an acquire comes first, so no release is in row 0",
    (
        "locks",
        "placed.append((acquire, number, 0, float(operations.invoked_s[acquire]), granted_s))",
        "0 to 1",
    ): "a process does not release before it was granted",
    ("locks", "placed.append((max(release, acquire), number, 1, end_s, released_s))", "1 to 2"): ORDER,
    ("operations", "NEVER = 1 << 60", "1 to 2"): SENTINEL,
    (
        "operations",
        "ints: Ints = np.asarray(columns.ints, dtype=np.int64).reshape(-1, len(Columns.INTS))",
        "1 to 2",
    ): SENTINEL,
    (
        "operations",
        "floats: Floats = np.asarray(columns.floats, dtype=np.float64).reshape(-1, len(Columns.FLOATS))",
        "1 to 2",
    ): SENTINEL,
    (
        "queue",
        'after = np.searchsorted(passed.into_call[order], passed.into_ret[stayed], side="right")',
        "other side",
    ): DISTINCT,
    (
        "queue",
        "held = np.flatnonzero((passed.out_row >= 0) & (passed.into_ret < passed.out_call))",
        "0 to 1",
    ): "a dequeue in row 0 was called before anything could be in the queue",
    (
        "queue",
        'came = np.searchsorted(stayed, instants, side="right")',
        "other side",
    ): "an instant that is free then is free because the one before it is, which is asked for as well",
    ("queue", "there = np.flatnonzero((passed.into_ret <= at) & (passed.out_call > at))", "LtE to Lt"): DISTINCT,
    ("queue", "size = int(max(operations.call.max(), operations.ret[empties].max())) + 2", "2 to 3"): SENTINEL,
    ("queue", "rows = takes[order[twice[0] : twice[0] + 2]]", "2 to 3"): "only the first two are used",
    ("search", "CHECK_TIME_EVERY = 256", "256 to 257"): LIMIT,
    ("search", "fits = step(after, returning) is not IMPOSSIBLE", "IsNot to Is"): "only what is tried first",
    (
        "search",
        "if after is not IMPOSSIBLE and after != state:",
        "and to or, or back",
    ): "from no possible state nothing follows that does not follow without the operation",
    ("search", "stuck: int = -1", "1 to 2"): SENTINEL,
    ("sequential", "if len(seen) % CHECK_TIME_EVERY == 0 and now_s() > deadline_s:", "0 to 1"): LIMIT,
    ("sequential", "if after != states[key]:", "NotEq to Eq"): SPEED,
    ("sequential", "if after != states[key]:", "if to if not"): SPEED,
    ("sequential", "if any(positions[lane] <= place for lane, place in still):", "LtE to Lt"): SPEED,
    ("serial", "MOST_SEARCHED = 300", "300 to 301"): LIMIT,
    (
        "sessions",
        "return [Conflict(int(operations.key[0]), SESSION, rows)]",
        "0 to 1",
    ): "all are on one key, and it takes two to contradict each other",
    ("sessions", "writes: int = -1", "1 to 2"): SENTINEL,
    ("sessions", "reads: int = -1", "1 to 2"): SENTINEL,
    ("sessions", "self.count = 0", "0 to 1"): SENTINEL,
    ("shrink", "parts, size = kept, max(1, size // 2)", "2 to 3"): SPEED,
    ("strings", "placed.append((BEFORE_ALL, BEFORE_ALL, 0, -2, -1))", "1 to 2"): SENTINEL,
    ("strings", "root, position = fork.get(row, (row, 1))", "1 to 2"): ORDER,
    (
        "strings",
        'for row in writes[np.argsort(-operations.outcome[writes] % 3, kind="stable")].tolist():',
        "3 to 4",
    ): ORDER,
    ("strings", "if len(pieces) > len(chain.pieces) or chain.seen_by == BEFORE_ALL:", "Gt to GtE"): PROOF,
    ("strings", "step = [0] * len(got)", "0 to 1"): "it is read only where it was set",
    ("strings", "for at in range(len(got) - 1, -1, -1):", "1 to 2"): "one step further changes nothing that is read",
}
for _line in (
    "if MONOTONIC_WRITES in versions.guarantees and mine.writes >= 0:",
    "if WRITES_FOLLOW_READS in versions.guarantees and mine.reads >= 0:",
    "if READ_YOUR_WRITES in versions.guarantees and mine.writes >= 0:",
    "if MONOTONIC_READS in versions.guarantees and mine.reads >= 0:",
):
    EQUIVALENT["sessions", _line, "GtE to Gt"] = EQUIVALENT["sessions", _line, "0 to 1"] = FIRST
