"""Who is told of what, when."""

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.daemon.core.alerts import SEVERITIES, Alert, Alerts, Notice, Route, Silence, step, untold

LOST = Alert("lost-mapping", "/srv/a", "critical", "nothing serves it")
LINK = Alert("stale-link", "/srv/b", "warning", "it leads to nothing")
PAGER, LOG = Route("pager", least="critical", after_s=10, again_s=100), Route("log")


def told(notices: tuple[Notice, ...]) -> list[tuple[str, str, bool]]:
    return [(one.to, one.alert.name, one.over) for one in notices]


def test_each_route_has_its_own_severity_delay_and_repetition() -> None:
    known: Alerts = {}
    seen = {}
    for now_s in (0.0, 5.0, 10.0, 60.0, 110.0):
        known, notices = step(known, [LOST, LINK], now_s, [PAGER, LOG], [])
        seen[now_s] = told(notices)
    assert seen == {
        0.0: [("log", "lost-mapping", False), ("log", "stale-link", False)],
        5.0: [],
        10.0: [("pager", "lost-mapping", False)],
        60.0: [],
        110.0: [("pager", "lost-mapping", False)],
    }
    _, notices = step(known, [LINK], 120.0, [PAGER, LOG], [])
    assert told(notices) == [("log", "lost-mapping", True), ("pager", "lost-mapping", True)]


def test_what_is_silenced_is_seen_and_not_told_until_the_silence_ends() -> None:
    silence = Silence("s1", "lost-*", "/srv/*", until_s=50.0, by="anna", why="it is being replaced")
    known, notices = step({}, [LOST, LINK], 0.0, [LOG], [silence])
    assert told(notices) == [("log", "stale-link", False)]
    assert LOST.key in known
    _, notices = step(known, [LOST, LINK], 50.0, [LOG], [silence])
    assert told(notices) == [("log", "lost-mapping", False)]


def test_one_that_was_over_before_anybody_was_told_is_not_told_to_be_over() -> None:
    known, _ = step({}, [LOST], 0.0, [PAGER], [])
    _, notices = step(known, [], 5.0, [PAGER], [])
    assert notices == ()


def test_what_did_not_arrive_is_told_again() -> None:
    known, notices = step({}, [LINK], 0.0, [LOG], [])
    known = untold(known, notices[0])
    assert told(step(known, [LINK], 1.0, [LOG], [])[1]) == [("log", "stale-link", False)]


@given(
    st.lists(st.booleans(), max_size=30),
    st.floats(0, 50),
    st.floats(60, 100),
    st.sampled_from(SEVERITIES),
    st.booleans(),
)
def test_every_end_has_a_beginning_and_nobody_is_told_too_often(
    there: list[bool], after_s: float, again_s: float, least: str, silenced: bool
) -> None:
    route = Route("x", least=least, after_s=after_s, again_s=again_s)  # type: ignore[arg-type]
    silences = [Silence("s", "*", "*", 100.0, "a", "b")] if silenced else []
    known: Alerts = {}
    last_s, open_ = -1e9, False
    for number, is_there in enumerate(there):
        now_s = 10.0 * number
        known, notices = step(known, [LOST] if is_there else [], now_s, [route], silences)
        for one in notices:
            assert one.over <= open_
            assert one.over or not open_ or now_s - last_s >= again_s
            assert one.over or not silenced or now_s >= 100.0
            open_, last_s = not one.over, now_s
