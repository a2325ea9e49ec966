"""What the figures of a node's kernel say; the node itself is not started here."""

from harness.bench.storage_on_kernel import FILE, MAPPED, NATIVE, figures


def test_what_is_mapped_is_beside_native_and_beside_the_file() -> None:
    took_s = {
        ("read", FILE): [1.0, 1.0, 9.0],
        ("read", NATIVE): [2.0, 2.0, 2.0],
        ("read", MAPPED): [2.1, 2.1, 0.1],
        ("written", MAPPED): [1.0],
        ("written", NATIVE): [1.0],
        ("written", FILE): [2.0],
    }
    rows = {one.what: one.remark for one in figures(took_s, 8)}
    assert rows["8 MiB, read: mapped"] == "+5.0 % beside native, +110.0 % beside the file"
    assert rows["8 MiB, written: mapped"] == "+0.0 % beside native, -50.0 % beside the file"
    assert rows["8 MiB, read: native"] == ""
    assert len(rows) == 6
