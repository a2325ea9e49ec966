"""Tokens: shown once, kept as digests."""

from pathlib import Path

import pytest

from harness.stack.storage.daemon.tokens import Role, TokenError, Tokens


def test_a_token_is_kept_as_its_digest_alone(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    text = tokens.create("anna", Role.approve)
    bearer = tokens.bearer_of(text)
    assert bearer is not None
    assert (bearer.name, bearer.role) == ("anna", Role.approve)
    assert tokens.bearer_of(text + "x") is None
    assert text not in (tmp_path / "tokens.json").read_text()
    assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600


def test_what_another_process_changes_counts_at_once(tmp_path: Path) -> None:
    reader, writer = Tokens(tmp_path / "t.json"), Tokens(tmp_path / "t.json")
    assert reader.bearer_of("x") is None
    text = writer.create("anna", Role.read)
    assert reader.bearer_of(text) is not None
    writer.remove("anna")
    assert reader.bearer_of(text) is None


def test_mistakes(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "t.json")
    tokens.create("anna", Role.read)
    with pytest.raises(TokenError, match="there is a token anna already"):
        tokens.create("anna", Role.read)
    with pytest.raises(TokenError, match="there is no token bert"):
        tokens.remove("bert")
    (tmp_path / "t.json").write_text("[{}]")
    with pytest.raises(TokenError, match="cannot be understood"):
        tokens.every()
