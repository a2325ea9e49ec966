"""Who has a UDP port, on real sockets."""

import os
import socket

from harness.stack.sfha.mesh.udp import holder_of, inodes_of, is_free


def test_a_table_of_the_kernel_is_read() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer\n"
        "  1: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0\n"
        "  2: 0100007F:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 0 2 0 0\n"
        "  3: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 99 2 0 0\n"
        "half a line\n"
    )
    assert inodes_of(table, 51820) == {4711, 0}
    assert inodes_of(table, 1) == inodes_of("", 1) == set()


def test_this_process_is_found_and_so_is_that_it_let_go() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        port = link.getsockname()[1]
        holder = holder_of(port)
        assert holder is not None
        assert holder.process_id == os.getpid()
        assert str(os.getpid()) in str(holder)
        assert not is_free(port)
    assert holder_of(port) is None
    assert is_free(port)
