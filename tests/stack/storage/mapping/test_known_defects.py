"""Defects of earlier programs, put into the table of transitions one at a time: the modelled kernel catches each."""

from collections.abc import Callable

import pytest

from harness.stack.storage.mapping.core.table import TRANSITIONS, Table
from harness.stack.storage.mapping.core.work import Phase
from tests.stack.storage.mapping.modelled_kernel import BrokenPromise, ModelledKernel, with_row

P = Phase


def map_it(kernel: ModelledKernel) -> None:
    kernel.run(kernel.start("disk-0", "map"))
    kernel.finish_pending()
    kernel.check()


def map_with_a_late_attach(kernel: ModelledKernel) -> None:
    kernel.next_attach = "late"
    map_it(kernel)


def unmap_that_fails(kernel: ModelledKernel) -> None:
    kernel.run(kernel.start("disk-0", "map"))
    kernel.next_detach = "failed"
    kernel.run(kernel.start("disk-0", "unmap"))
    kernel.run(kernel.start("disk-0", "unmap"))
    kernel.at_rest()


def map_what_is_mapped(kernel: ModelledKernel) -> None:
    kernel.run(kernel.start("disk-0", "map"))
    kernel.run(kernel.start("disk-0", "map", "file"))


def two_maps_at_once(kernel: ModelledKernel) -> None:
    numbers = [kernel.start("disk-0", "map"), kernel.start("disk-0", "map")]
    for _ in range(40):
        for number in numbers:
            if number in kernel.processes:
                kernel.advance(number)


def map_into_anothers_device(kernel: ModelledKernel) -> None:
    kernel.next_attach = "twice"
    map_it(kernel)


def map_what_another_host_has(kernel: ModelledKernel) -> None:
    kernel.next_attach = "twice"
    kernel.run(kernel.start("disk-0", "map", shared=True))
    kernel.check()


DEFECTS: dict[str, tuple[Table, Callable[[ModelledKernel], None]]] = {
    "return leaves only the guarded block, so the plain path runs too": (
        with_row(TRANSITIONS, P.PUBLISH, done=P.CHOOSE_FILE),
        map_it,
    ),
    "unmap failures swallowed": (with_row(TRANSITIONS, P.DETACH, failed=P.LOOK_AT_BLOCK), unmap_that_fails),
    "fallback to the file while a device is attached": (
        with_row(TRANSITIONS, P.ATTACH, failed=P.CHOOSE_FILE),
        map_with_a_late_attach,
    ),
    "fallback to the file while a device is mapped": (
        with_row(TRANSITIONS, P.LOOK, other_route=P.CHOOSE_FILE),
        map_what_is_mapped,
    ),
    "success believed without a proof": (with_row(TRANSITIONS, P.CONFIRM, ours=P.COMMIT), map_into_anothers_device),
    "success believed where another host has it": (
        with_row(TRANSITIONS, P.CONFIRM, ours_shared=P.COMMIT),
        map_what_another_host_has,
    ),
    "a device written to before it is proven": (
        with_row(TRANSITIONS, P.SEE_DEVICE, different=P.GIVE_BACK),
        map_into_anothers_device,
    ),
    "a lock that is passed over": (with_row(TRANSITIONS, P.LOCK_VOLUME, busy=P.READ_RECORD), two_maps_at_once),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_it_is_caught(name: str) -> None:
    table, provoke = DEFECTS[name]
    with pytest.raises((BrokenPromise, AssertionError)):
        provoke(ModelledKernel(table=table))


@pytest.mark.parametrize("name", DEFECTS)
def test_what_catches_it_finds_nothing_in_the_real_table(name: str) -> None:
    DEFECTS[name][1](ModelledKernel())
