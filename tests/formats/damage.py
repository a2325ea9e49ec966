"""Spoiling a file in every way that files are found spoilt: bytes, lines, and values of another type or size."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

CORPUS = Path(__file__).with_name("corpus")
_ODD_JSON = (
    *(
        "null",
        "true",
        "-1",
        "0",
        "1.0",
        "1.5",
        "1e400",
        "-0.0",
        "NaN",
        '""',
        '"x"',
        "[]",
        "{}",
        "[[]]",
        '{"a": {"b": []}}',
    ),
    *('"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', "9223372036854775808", "-9223372036854775809", "9" * 400),
    *("9" * 5000, "[" * 90 + "]" * 90, "[" * 1500 + "]" * 1500, "[" * 100_000, '"' + "y" * 3000 + '"', "[1, 2", "1e-7"),
    *(
        '[["r", "x", null]]',
        '[["append", "x", 1], 3]',
        '["x", 1]',
        "[null, null]",
        '[[1], {"k": 2}]',
        '"nemesis"',
        '"ok"',
    ),
)
_ODD_EDN = (
    *(
        "nil",
        "true",
        "-1",
        "0",
        "1.0",
        "1.5M",
        "1e400",
        "1/3",
        "1/0",
        "##NaN",
        "##Inf",
        '""',
        '"x',
        "[]",
        "{}",
        "#{}",
        "()",
    ),
    *(
        "{{:a 1} 2}",
        "{[1 [2]] 3}",
        "#{#{1} [2]}",
        "\\a",
        "\\newline",
        '"\\ud800"',
        "9" * 400,
        "9" * 5000,
        "0x1F",
        "36rZZ",
    ),
    *(
        "[" * 90 + "]" * 90,
        "[" * 500 + "]" * 500,
        "[" * 100_000,
        '#inst "2024-01-01"',
        "#a.b{:c 1}",
        '#object[X 0x1 "y"]',
    ),
    *(
        "^{:m 1} [1]",
        "#_",
        "#_ 1",
        "foo.bar/baz",
        "'q",
        "@",
        ":",
        "::a/b",
        "#",
        "#<Foo>",
        "[[:r x nil]]",
        "[:x 1]",
        ":nemesis",
    ),
)
_TOKEN = re.compile(r"\"[^\"]*\"|-?\d[\d.]*|:?[a-z][\w-]*|null|nil|[\[{][^\[\]{}]*[\]}]")


def damaged(text: bytes, random: Random, *, edn: bool) -> bytes:
    """A file after one to three mishaps."""
    for _ in range(random.choice((1, 1, 2, 3))):
        text = random.choice(_WAYS)(text, random) if random.random() < 0.4 else _other_value(text, random, edn=edn)
    return text


def _other_value(text: bytes, random: Random, *, edn: bool) -> bytes:
    told = text.decode(errors="replace")
    places = list(_TOKEN.finditer(told))
    if not places:
        return text
    place = random.choice(places)
    odd = random.choice(_ODD_EDN if edn else _ODD_JSON)
    return (told[: place.start()] + odd + told[place.end() :]).encode(errors="surrogatepass")


def _cut(text: bytes, random: Random) -> bytes:
    return text[: random.randrange(len(text) + 1)]


def _flip(text: bytes, random: Random) -> bytes:
    spoilt = bytearray(text)
    for _ in range(min(len(spoilt), random.choice((1, 4)))):
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def _insert(text: bytes, random: Random) -> bytes:
    junk = (
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n\n",
        b"]",
        b"}",
        b'"',
        b";",
        b"#",
        b"\t",
        b"\x1b[31m",
        b"\\",
        b"^",
    )
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice(junk) + text[place:]


def _drop(text: bytes, random: Random) -> bytes:
    start = random.randrange(len(text) + 1)
    return text[:start] + text[start + random.randrange(20) :]


def _lines(text: bytes, random: Random) -> bytes:
    """Lines that are gone, there twice, or in another order."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(3):
        case 0:
            lines.insert(other, lines[one])
        case 1:
            del lines[one]
        case _:
            lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _encoded(text: bytes, random: Random) -> bytes:
    told = text.decode(errors="replace")
    name = random.choice(("utf-16", "utf-16-be", "utf-8-sig", "latin-1", "crlf"))
    return told.replace("\n", "\r\n").encode() if name == "crlf" else told.encode(name, errors="replace")


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (_cut, _flip, _insert, _drop, _lines, _lines, _encoded)
