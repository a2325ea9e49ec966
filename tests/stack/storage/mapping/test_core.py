"""One volume mapped and unmapped: what is done in which order, and a crash at every step of it."""

import pytest

from harness.stack.storage.mapping.core.actions import action_of
from harness.stack.storage.mapping.core.table import TRANSITIONS
from harness.stack.storage.mapping.core.work import Phase
from harness.stack.storage.mapping.record import Record, Stage, record_from_json, record_to_json
from tests.stack.storage.mapping.modelled_kernel import FOREIGN, ModelledKernel

P = Phase


def test_every_phase_has_a_row_and_every_row_leads_to_one() -> None:
    assert set(TRANSITIONS) == set(Phase)
    reached = {to for row in TRANSITIONS.values() for to in row.values()} | {P.LOCK_VOLUME}
    assert reached == set(Phase)


def test_a_volume_is_mapped_proven_and_published() -> None:
    kernel = ModelledKernel()
    number, acts = kernel.start("disk-0", "map"), []
    while number in kernel.processes:
        acts.append(action_of(kernel.processes[number].work).act)
        work = kernel.advance(number)
    assert acts == [
        "lock-volume", "read-record", "survey", "lock-index", "survey", "write-record", "attach", "survey",
        "read-volume", "write-record", "write-volume", "read-device", "write-device", "read-volume", "write-record",
        "publish", "unlock-index", "unlock-volume",
    ]  # fmt: skip
    assert work.phase is P.DONE
    assert kernel.published == {"disk-0": work.index}
    assert kernel.records["disk-0"].stage is Stage.MAPPED
    assert kernel.records["disk-0"].original == b"", "what the nonce replaced is no business of a finished record"


def test_an_existing_mapping_is_reused() -> None:
    kernel = ModelledKernel()
    first = kernel.run(kernel.start("disk-0", "map"))
    again = kernel.run(kernel.start("disk-0", "map"))
    assert (again.index, again.reused) == (first.index, True)


def guest_elsewhere_keeps_what_it_writes(*, shared: bool) -> bool:
    """On another host a guest writes to the volume's last block, once, before each step of a map here in turn."""
    for at in range(40):
        kernel = ModelledKernel()
        number, written = kernel.start("disk-0", "map", shared=shared), b"written by a guest".ljust(4096)
        for step in range(200):
            if step == at:
                kernel.blocks["/mnt/disk-0"] = written
            if number not in kernel.processes:
                break
            if kernel.advance(number).phase is P.COOL:
                kernel.finish_pending()
        if kernel.blocks["/mnt/disk-0"] not in (written, b"disk-0".ljust(4096, b".")):
            return False
        if step > at and kernel.blocks["/mnt/disk-0"] != written:
            return False
        assert kernel.published == {"disk-0": kernel.records["disk-0"].index}, "and it is mapped in the end"
    return True


def test_nothing_is_written_to_what_another_host_may_have() -> None:
    assert guest_elsewhere_keeps_what_it_writes(shared=True)
    assert not guest_elsewhere_keeps_what_it_writes(shared=False), "a nonce would take it away"


def test_what_is_shared_is_proven_all_the_same() -> None:
    kernel = ModelledKernel()
    kernel.next_attach = "twice"
    work = kernel.run(kernel.start("disk-0", "map", shared=True))
    assert work.phase is P.DONE
    assert kernel.indexes[work.index or 0].given == ["/mnt/disk-0"], "not the index that serves another volume"
    assert kernel.blocks[FOREIGN] == b"\xff" * 4096


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("daemon", [False, True])
@pytest.mark.parametrize("goal", ["map", "unmap"])
def test_a_crash_at_every_step_is_cleared_up_by_the_next(goal: str, inside: bool, daemon: bool) -> None:
    for crash_at in range(40):
        kernel = ModelledKernel()
        if goal == "unmap":
            kernel.run(kernel.start("disk-0", "map"))
        number = kernel.start("disk-0", goal)  # type: ignore[arg-type]
        for _ in range(crash_at):
            if number in kernel.processes:
                kernel.advance(number)
        if number not in kernel.processes:
            assert crash_at > 5
            return
        kernel.crash(number, inside=inside, daemon=daemon)
        assert kernel.run(kernel.start("disk-0", "map")).phase is P.DONE
        assert kernel.run(kernel.start("disk-0", "unmap")).phase is P.DONE
        kernel.at_rest()
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("how", ["taken", "twice"])
def test_what_went_wrong_with_one_index_goes_well_with_the_next(how: str) -> None:
    kernel = ModelledKernel()
    kernel.next_attach = how
    work = kernel.run(kernel.start("disk-0", "map"))
    assert work.phase is P.DONE, work.why
    assert kernel.blocks[FOREIGN] == b"\xff" * 4096, "nothing was written to the other's volume"


def test_an_index_that_is_never_right_ends_after_five() -> None:
    kernel = ModelledKernel(indexes=16)
    number, attaches = kernel.start("disk-0", "map"), 0
    while number in kernel.processes:
        kernel.next_attach = "taken"
        attaches += action_of(kernel.processes[number].work).act == "attach"
        work = kernel.advance(number)
    assert work.phase is P.FAILED
    assert "Resource temporarily unavailable" in work.why
    assert attaches == 5
    kernel.at_rest()


@pytest.mark.promise("S5-12", "S5-55")
def test_five_tries_with_a_factor_of_one_and_a_half() -> None:
    kernel = ModelledKernel(indexes=2)
    kernel.foreign_attach(0)
    kernel.foreign_attach(1)
    number, delays = kernel.start("disk-0", "map"), []
    while number in kernel.processes:
        action = action_of(kernel.processes[number].work)
        delays += [action.delay_s] if action.act == "pause" else []
        work = kernel.advance(number)
    assert delays == pytest.approx([0.2, 0.3, 0.45, 0.675])
    assert work.why == "none of 2 indexes is free after 5 tries (2 leaked)"


def test_a_volume_in_use_stays_mapped() -> None:
    kernel = ModelledKernel()
    index = kernel.run(kernel.start("disk-0", "map")).index
    assert index is not None
    kernel.hold(index, True)
    work = kernel.run(kernel.start("disk-0", "unmap"))
    assert work.phase is P.FAILED
    assert "used by /mnt" in work.why
    assert kernel.published == {"disk-0": index}


def test_an_unmap_that_fails_is_a_failure_and_is_done_by_the_next() -> None:
    kernel = ModelledKernel()
    kernel.run(kernel.start("disk-0", "map"))
    kernel.next_detach = "failed"
    work = kernel.run(kernel.start("disk-0", "unmap"))
    assert (work.phase, work.why) == (P.FAILED, "unmap: no answer in time")
    assert kernel.records["disk-0"].stage is Stage.DETACHING, "the index stays its own until it is quiet"
    assert kernel.run(kernel.start("disk-0", "unmap")).phase is P.DONE
    kernel.at_rest()


def test_never_the_file_while_the_device_is_there_nor_the_other_way_round() -> None:
    kernel = ModelledKernel()
    kernel.run(kernel.start("disk-0", "map"))
    refused = kernel.run(kernel.start("disk-0", "map", "file"))
    assert refused.phase is P.FAILED
    assert "unmap it before using the file" in refused.why
    kernel.run(kernel.start("disk-0", "unmap"))
    assert kernel.run(kernel.start("disk-0", "map", "file")).phase is P.DONE
    refused = kernel.run(kernel.start("disk-0", "map"))
    assert refused.phase is P.FAILED
    assert "two data paths" in refused.why
    assert kernel.run(kernel.start("disk-0", "unmap")).phase is P.DONE
    kernel.at_rest()


def test_records_survive_the_disk() -> None:
    record = Record("disk-0", "/mnt/disk-0", 3, Stage.PROVING, "modelled", "boot", b"n" * 16, b"o" * 16, 8192)
    assert record_from_json(record_to_json(record)) == record
    with pytest.raises(ValueError, match="not the record"):
        record_from_json({"volume": "x"})
