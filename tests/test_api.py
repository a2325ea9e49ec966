"""What suites import from ``harness``: all of it is there, nothing else is, and it costs nobody who does not ask."""

import ast
import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import harness
import harness.api
from harness import Client, Refused, Request, Route, Unclear, expectations
from harness.subjects.found import kind_at
from harness.subjects.subject import Kind, Subject
from tests.contracts.subject import SubjectContract


def test_every_public_name_can_be_imported() -> None:
    assert len(set(harness.__all__)) == len(harness.__all__) > 50
    for name in harness.__all__:
        assert getattr(harness, name) is getattr(harness.api, name)
    assert set(harness.__all__) <= set(dir(harness))


def test_what_is_not_public_is_not_there() -> None:
    assert not hasattr(harness, "import_everything")
    with pytest.raises(ImportError, match="cannot import name 'no_such_name' from 'harness'"):
        exec("from harness import no_such_name")


def test_modules_do_not_load_the_public_names() -> None:
    program = "import sys; from harness import clock, wait; import harness; sys.exit('harness.api' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


PAGE = (Path(__file__).parents[1] / "docs/test-your-own-stack.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_what_the_page_shows_is_python() -> None:
    assert len(BLOCKS) >= 5
    for block in BLOCKS:
        ast.parse(block)


class TestTheSubjectOfThePage(SubjectContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Kind:
        (block,) = [one for one in BLOCKS if "class MyStack(Subject)" in one and "def files" in one]
        module = f"my_stack_{abs(hash(tmp_path))}"
        (tmp_path / f"{module}.py").write_text(block)
        return kind_at(f"{module}:MyStack", tmp_path)


def test_the_page_names_nothing_that_is_not_public() -> None:
    lines = [line for line in PAGE.splitlines() if line.strip().startswith("from harness import ")]
    assert lines
    for line in lines:
        names = {name.strip() for name in line.partition(" import ")[2].split(",")}
        assert names <= set(harness.__all__), line


def test_each_expectation_is_on_a_page() -> None:
    consistency = (Path(__file__).parents[1] / "docs/consistency.md").read_text(encoding="utf-8")
    public = set(harness.__all__) & set(expectations.__all__) - {"Expected"}
    ones = {name for name in public if not name.startswith("linearizable_")}
    assert ones
    assert {name for name in ones if f"`{name}" not in PAGE + consistency} == set()


async def test_the_client_of_the_page_tells_what_it_knows() -> None:
    answers = {
        b"write k 1": b"ok null",
        b"read k null": b"ok [1]",
        b"write k 2": b"refused a copy",
        b"write k 3": b"what",
    }

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).rstrip():
            if line not in answers:
                break
            writer.write(answers[line] + b"\n")
        writer.close()

    (block,) = [one for one in BLOCKS if "class ShelfClient" in one]
    names: dict[str, Any] = {"MyStack": Subject}
    exec(block, names)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        client: Client = names["ShelfClient"](Route(address="127.0.0.1", port=server.sockets[0].getsockname()[1]))
        await client.open()
        assert await client.invoke(Request(function="read", key="k", route=0)) == [1]
        looked = client.at_stake
        assert await client.invoke(Request(function="write", key="k", route=0, value=1)) is None
        assert (looked, client.at_stake) == (False, True)
        for value, error in ((2, Refused), (3, Unclear), (4, EOFError)):
            with pytest.raises(error):
                await client.invoke(Request(function="write", key="k", route=0, value=value))
        client.close()
        client.close()
