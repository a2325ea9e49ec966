"""The wrapper of libnftables: transactions, words of the library, listings."""

from collections.abc import Iterator

import pytest

from harness.errors import FabricError, HostError
from harness.fabric import nft as nft_module
from harness.fabric.namespaces import NamespaceThread
from harness.fabric.nft import Nft
from tests.fabric.conftest import KeptNamespaces


@pytest.fixture
def inside(namespaces: KeptNamespaces) -> Iterator[NamespaceThread]:
    thread = NamespaceThread(namespaces().path)
    yield thread
    thread.close()


@pytest.fixture
def nft(inside: NamespaceThread) -> Iterator[Nft]:
    opened = inside.run(Nft)
    yield opened
    inside.run(opened.close)
    inside.run(opened.close)


def test_a_transaction_is_applied_whole_or_not_at_all(inside: NamespaceThread, nft: Nft) -> None:
    with pytest.raises(FabricError, match=r"nft refused: .*No such file or directory"):
        inside.run(lambda: nft.run("add table bridge one\nadd chain bridge none c\n"))
    assert inside.run(lambda: nft.listing("list tables")) == []
    inside.run(lambda: nft.run("add table bridge one\nadd table bridge two\n"))
    tables = inside.run(lambda: nft.listing("list tables"))
    assert [table["table"]["name"] for table in tables] == ["one", "two"]
    assert inside.run(lambda: nft.run("list tables")).split() == ["table", "bridge", "one", "table", "bridge", "two"]


def test_an_error_of_syntax_is_told_in_the_words_of_nft(inside: NamespaceThread, nft: Nft) -> None:
    with pytest.raises(FabricError, match="syntax error"):
        inside.run(lambda: nft.run("add tabel bridge one"))
    inside.run(lambda: nft.run("add table bridge one"))  # and the context goes on working


def test_a_closed_context_says_so(inside: NamespaceThread, nft: Nft) -> None:
    inside.run(nft.close)
    with pytest.raises(FabricError, match="closed"):
        inside.run(lambda: nft.run("list tables"))
    with pytest.raises(FabricError, match="closed"):
        inside.run(lambda: nft.listing("list tables"))


def test_a_host_without_the_library_is_told_which_package_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nft_module, "_LIBRARY", "libnftables-that-is-not-there.so")
    nft_module._loaded.cache_clear()
    with pytest.raises(HostError, match="install the package libnftables1"):
        Nft()
    nft_module._loaded.cache_clear()
