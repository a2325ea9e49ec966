"""What `mfsbdev list` prints."""

from harness.stack.storage.mapping.drivers.mfsbdev import listed


def test_the_list_is_read() -> None:
    said = "file: /images/117/vm-117-disk-0 ; device: /dev/nbd0 ; link: /dev/mfs/x ; bdevsize: 4194304\n"
    said += "file: /a b ; device: /dev/nbd12 ; link: /dev/mfs/y\n\n"
    assert listed(said) == {0: "/images/117/vm-117-disk-0", 12: "/a b"}
    assert listed("") == {}
