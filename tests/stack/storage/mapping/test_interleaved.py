"""Many processes on one modelled kernel, in any order, dying at any step: an index never has two owners."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from harness.stack.storage.mapping.core.work import Phase
from tests.stack.storage.mapping.modelled_kernel import ModelledKernel, torn

VOLUMES = ("disk-0", "disk-1", "disk-2")
INDEXES = range(3)


class Interleaved(RuleBasedStateMachine):
    """The model checks after every action what must always be true; ``teardown`` that everything can be cleared up."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = ModelledKernel(len(INDEXES))

    @initialize(file_locks=st.booleans())
    def driver(self, file_locks: bool) -> None:
        self.kernel.file_locks = file_locks

    def process(self, which: int) -> int:
        numbers = sorted(self.kernel.processes)
        return numbers[which % len(numbers)]

    @precondition(lambda self: len(self.kernel.processes) < 4)
    @rule(
        volume=st.sampled_from(VOLUMES),
        goal=st.sampled_from(["map", "map", "unmap"]),
        route=st.sampled_from(["device", "device", "device", "file"]),
    )
    def start(self, volume: str, goal: str, route: str) -> None:
        self.kernel.start(volume, goal, route)  # type: ignore[arg-type]

    @precondition(lambda self: self.kernel.processes)
    @rule(which=st.integers(0, 3), steps=st.sampled_from([1, 1, 2, 5, 30]))
    def advance(self, which: int, steps: int) -> None:
        number = self.process(which)
        for _ in range(steps):
            if number in self.kernel.processes:
                self.kernel.advance(number)

    @precondition(lambda self: self.kernel.processes)
    @rule(which=st.integers(0, 3), inside=st.booleans(), daemon=st.booleans())
    def crash(self, which: int, inside: bool, daemon: bool) -> None:
        self.kernel.crash(self.process(which), inside=inside, daemon=daemon)

    @precondition(lambda self: self.kernel.processes)
    @rule(which=st.integers(0, 3))
    def power_cut_inside_the_plant(self, which: int) -> None:
        process = self.kernel.processes[self.process(which)]
        if process.work.phase is Phase.PLANT:
            self.kernel.blocks[process.work.file] = torn(process)
            self.kernel.reboot()

    @rule(how=st.sampled_from(["late", "refused", "taken", "twice"]))
    def the_next_attach_goes_wrong(self, how: str) -> None:
        self.kernel.next_attach = how

    @rule()
    def the_next_detach_fails(self) -> None:
        self.kernel.next_detach = "failed"

    @rule(index=st.sampled_from(INDEXES))
    def foreign_attach(self, index: int) -> None:
        self.kernel.foreign_attach(index)

    @rule(index=st.sampled_from(INDEXES))
    def foreign_detach(self, index: int) -> None:
        self.kernel.foreign_detach(index)

    @rule(index=st.sampled_from(INDEXES), held=st.booleans())
    def hold(self, index: int, held: bool) -> None:
        self.kernel.hold(index, held)

    @rule(index=st.sampled_from(INDEXES))
    def server_dies(self, index: int) -> None:
        self.kernel.server_dies(index)

    @rule()
    def commands_of_the_dead_end(self) -> None:
        self.kernel.finish_pending()

    @rule()
    def reboot(self) -> None:
        self.kernel.reboot()

    def teardown(self) -> None:
        kernel = self.kernel
        for number in list(kernel.processes):
            kernel.crash(number, inside=False)
        kernel.next_attach = kernel.next_detach = "done"
        for index in INDEXES:
            kernel.hold(index, False)
        for volume in VOLUMES:
            work = kernel.run(kernel.start(volume, "unmap"))
            assert work.phase is Phase.DONE, work.why
        kernel.finish_pending()
        for volume in VOLUMES:  # what only came now
            assert not any(f"/mnt/{volume}" in one.given for one in kernel.indexes.values()), (
                "a leak that nobody claims"
            )
        kernel.at_rest()


TestInterleaved = Interleaved.TestCase
TestInterleaved.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
