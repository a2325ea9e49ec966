"""libnftables, thinly: one long-lived context instead of a process per change.

A context holds a netlink socket, which the library sometimes reopens by itself: make the
context, use it and close it in one thread that stays in the namespace it is meant for.
Reference: libnftables(3).
"""

import ctypes
import functools
import json
from typing import Any

from harness.errors import FabricError, HostError

_LIBRARY = "libnftables.so.1"
_OUTPUT_JSON = 1 << 4  # NFT_CTX_OUTPUT_JSON of nftables/libnftables.h


class Nft:
    """An open nftables context of the network namespace the calling thread is in."""

    def __init__(self) -> None:
        """Raises HostError when the library is missing."""
        self._library = _loaded()
        self._context: int | None = self._library.nft_ctx_new(0)
        if not self._context:
            raise FabricError("libnftables gave no context; is this process root (CAP_NET_ADMIN)?")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> str:
        """Apply commands as one transaction: all of them or none. Returns what they print.

        Raises FabricError with nft's own words.
        """
        context = self._open_context()
        failed = self._library.nft_run_cmd_from_buffer(context, commands.encode())
        printed = self._library.nft_ctx_get_output_buffer(context)
        complaint = self._library.nft_ctx_get_error_buffer(context)
        if failed:
            raise FabricError(f"nft refused: {complaint.decode(errors='replace').strip()}\nin: {commands.strip()}")
        return str(printed.decode(errors="replace"))

    def listing(self, command: str) -> list[dict[str, Any]]:
        """The objects that a list command prints, as libnftables-json(5) describes them.

        Raises FabricError with nft's own words.
        """
        context = self._open_context()
        self._library.nft_ctx_output_set_flags(context, _OUTPUT_JSON)
        try:
            printed = self.run(command)
        finally:
            self._library.nft_ctx_output_set_flags(context, 0)
        objects: list[dict[str, Any]] = json.loads(printed)["nftables"] if printed else []
        return [one for one in objects if "metainfo" not in one]

    def _open_context(self) -> int:
        if self._context is None:  # the library would read freed memory
            raise FabricError("the nftables context is closed")
        return self._context

    def close(self) -> None:
        """Free the context and its socket. May be called again."""
        if self._context is not None:
            self._library.nft_ctx_free(self._context)
            self._context = None


@functools.cache
def _loaded() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise HostError(f"{_LIBRARY} is missing: install the package libnftables1 ({error})") from error
    context = ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "nft_ctx_new": (context, [ctypes.c_uint32]),
        "nft_ctx_free": (None, [context]),
        "nft_ctx_buffer_output": (ctypes.c_int, [context]),
        "nft_ctx_buffer_error": (ctypes.c_int, [context]),
        "nft_ctx_get_output_buffer": (ctypes.c_char_p, [context]),
        "nft_ctx_get_error_buffer": (ctypes.c_char_p, [context]),
        "nft_ctx_output_set_flags": (None, [context, ctypes.c_uint]),
        "nft_run_cmd_from_buffer": (ctypes.c_int, [context, ctypes.c_char_p]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
