"""The structs of snn.h as ctypes classes, read from the header itself, so that tests follow when a field is added."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from itertools import count
from typing import Any

from exporters.c.constants import Fields, Structs

_STRUCT = re.compile(r"typedef struct \{([^}]*)\} (\w+);")
_ENUM = re.compile(r"enum \w+ \{([^}]*)\}")
_FIELD = re.compile(r"(?:const )?(\w+) (\**)(\w+)(?:\[(\d+)\])?")
_KERNEL = re.compile(r"^void (snn_\w+)\(([^)]*)\);", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NUMBERS: dict[str, Any] = {
    **{f"uint{bits}_t": getattr(ctypes, f"c_uint{bits}") for bits in (8, 16, 32)},
    **{f"int{bits}_t": getattr(ctypes, f"c_int{bits}") for bits in (8, 16, 32)},
    "char": ctypes.c_char,
}

Address = Callable[[str], int]
"""Where the constant of a symbol lies."""


class Header:
    """The structs and enumerations of snn.h for a machine whose pointers have ``pointer_bytes``, 4 or 8.

    Both lay out structs as the C compilers of Arm and of this machine do: each field at a multiple of its size.
    """

    def __init__(self, pointer_bytes: int = 4) -> None:
        self.pointer_bytes = pointer_bytes
        self._pointer: Any = ctypes.c_uint32 if pointer_bytes == 4 else ctypes.c_uint64
        text = _COMMENT.sub("", (files("exporters.c") / "runtime" / "snn.h").read_text(encoding="utf-8"))
        self._structs: dict[str, type[ctypes.Structure]] = {}
        for body, name in _STRUCT.findall(text):
            fields = [self._field(line.strip()) for line in body.split(";") if line.strip()]
            self._structs[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
        self.parameters = {
            name: [word.split()[-1].lstrip("*") for word in parameters.split(",")]
            for name, parameters in _KERNEL.findall(text)
        }
        """Names of each kernel's parameters."""
        members = [[name.strip() for name in body.split(",")] for body in _ENUM.findall(text)]
        self._values = {name: value for names in members for value, name in zip(count(), names, strict=False)}

    def content(self, symbol: Structs, address: Address) -> bytes:
        """The bytes of the descriptors ``symbol``, whose pointers are what ``address`` gives for their symbols."""
        return b"".join(bytes(self._filled(symbol.c_type, item, address)) for item in symbol.items)

    def _field(self, line: str) -> tuple[str, Any]:
        found = _FIELD.fullmatch(line)
        assert found, f"snn.h declares {line!r}, which this test cannot read"
        c_type, pointer, name, length = found.groups()
        kind = self._pointer if pointer else (_NUMBERS | self._structs)[c_type]
        return name, kind * int(length) if length else kind

    def _filled(self, c_type: str, item: Fields, address: Address) -> ctypes.Structure:
        struct = self._structs[c_type]()
        kinds = dict(struct._fields_)  # type: ignore[arg-type]
        assert item.keys() == kinds.keys(), f"the exporter does not fill all fields of {c_type}"
        for name, value in item.items():
            if isinstance(value, Mapping):
                value = self._filled(kinds[name].__name__, value, address)
            elif isinstance(value, str):
                value = address(value.lstrip("&")) if value.startswith("&") else self._values[value]
            setattr(struct, name, value)
            # ctypes cuts off what does not fit, and a compiler would refuse it.
            assert isinstance(value, ctypes.Structure) or getattr(struct, name) == value, (c_type, name)
        return struct
