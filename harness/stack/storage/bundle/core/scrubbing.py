"""Takes secrets out of text: those that are known, by themselves, and those that look like one, by their shape.

Neither is enough alone. What is known is replaced however it is written; what nobody told us of (a password that
somebody typed as the reason of an approval) is found by what stands before it. Rather too much is left out than too
little.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

LEFT_OUT = "(left out)"
SHORTEST = 6
"""A known secret that is shorter would be found in words that are none."""
_WORDS = "pass(?:word|wd|phrase)?|secret|token|credential|authorization|cookie|community|key"
_NAMED = re.compile(
    rf"(?i)([\"']?[\w.-]*(?:{_WORDS})[\w.-]*[\"']?\s*(?:=>|[=:])\s*)"
    r"(\"(?:[^\"\\]|\\.)*\"|'[^']*'|\[[^\]]*\]|\{[^{}]*\}|[^\s,;\"'}\])]+)"
)
_OPTION = re.compile(rf"(?i)(--[\w-]*(?:{_WORDS})[\w-]*\s+)(\S+)")
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|SECRET)[A-Z0-9 -]*-----.*?(?:-----END [A-Z0-9 -]*-----|\Z)", re.S),
    re.compile(r"mfs_[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|amqps?|rediss?|postgres(?:ql)?|mysql)://([^\s\"'<>]*)")


class Scrubber:
    """``known`` are secrets of this host."""

    def __init__(self, known: Iterable[str]) -> None:
        forms = {form for one in known if len(one) >= SHORTEST for form in _forms(one)}
        self._known = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The same without them."""
        for one in self._known:
            text = text.replace(one, LEFT_OUT)
        for shape in _SHAPES:
            text = shape.sub(LEFT_OUT, text)
        text = _ADDRESS.sub(_address, text)
        text = _NAMED.sub(_named, text)
        return _OPTION.sub(rf"\1{LEFT_OUT}", text)


def _address(found: "re.Match[str]") -> str:
    """Whom it leads to is worth knowing; the path of a webhook is its password, and so is what stands before an @."""
    user, at, rest = found[2].rpartition("@")
    if at and any(mark in user for mark in "/?#"):  # which of the two is the host cannot be told
        return f"{found[1]}://{LEFT_OUT}"
    return f"{found[1]}://{re.split('[/?#,;]', rest)[0]}"


def _named(found: "re.Match[str]") -> str:
    """Quoted as it was, so that JSON stays JSON."""
    name, value = found[1], found[2]
    if LEFT_OUT.startswith(value) or value.strip("\"'") in ("true", "false", "null", "None", "", "{", "["):
        return found[0]
    quoted = value[0] if value[0] in "\"'" else name[0] if name[0] in "\"'" else ""
    return f"{found[1]}{quoted}{LEFT_OUT}{quoted}"


def _forms(secret: str) -> set[str]:
    """How it may be written."""
    raw = secret.encode()
    return {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }
