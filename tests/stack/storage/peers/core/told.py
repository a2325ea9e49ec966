"""Reports for tests."""

from hypothesis import strategies as st

from harness.stack.storage.peers.core.merge import Heard
from harness.stack.storage.peers.core.report import MappedVolume, Migration, Moving, Report, Trouble

NAMES = ("n1", "n2", "n3")
words = st.text('abc/é"\\\n', max_size=6)
volumes = st.builds(
    MappedVolume, words, st.sampled_from(["", "shared:/a", "shared:/b"]), words, st.none() | st.integers(0, 99), words
)
migrations = st.builds(
    Migration,
    st.sampled_from(["shared:/a", "shared:/b"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.floats(0, 900),
)


def reports(names: tuple[str, ...] = NAMES) -> st.SearchStrategy[Report]:
    """Of few hosts, starts and changes, so that they often meet."""
    return st.builds(
        Report,
        node=st.sampled_from(names),
        epoch=st.integers(0, 2),
        sequence=st.integers(0, 2),
        instance=st.sampled_from(["i", "j"]),
        version=words,
        level=st.integers(1, 5),
        volumes=st.lists(volumes, max_size=2).map(tuple),
        moves=st.lists(st.builds(Moving, words, words, words, words), max_size=1).map(tuple),
        incidents=st.lists(st.builds(Trouble, words, words, words, words), max_size=1).map(tuple),
        migrations=st.lists(migrations, max_size=1).map(tuple),
        more=st.integers(0, 3),
    )


heard = st.lists(st.builds(Heard, reports(), st.floats(0, 100)), max_size=4).map(
    lambda found: {one.report.node: one for one in found}
)


def having(node: str, *identities: str, epoch: int = 1, **more: object) -> Report:
    """One that has these volumes."""
    rows = tuple(MappedVolume(one.removeprefix("shared:"), one, "nbd-client", 3, "mapped") for one in identities)
    return Report(node, epoch, 1, f"{node}'s", volumes=rows, **more)  # type: ignore[arg-type]
