"""Rendering of the C templates beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import jinja2

from toolchain.cost.packing import BLOCK
from toolchain.graph.nodes import Array

_C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t"}


def render(name: str, context: Mapping[str, object]) -> str:
    """Render the template ``name``; an undefined variable is an error."""
    return _environment().get_template(name).render(context)


def comment(text: str) -> str:
    """``text`` from a model file, made harmless within a C comment: one line of letters, digits and plain signs."""
    return re.sub(r"[^A-Za-z0-9 _.,+()-]", "?", text)[:60]


@jinja2.pass_context
def _initializer(context: jinja2.runtime.Context, value: object) -> str:
    """A field's initializer; ``&name`` stands for one of the network's own arrays, ``&&name`` for another constant."""
    text = str(value)
    name = f"{context['prefix']}_{text.lstrip('&')}"
    return f"&{name}" if text.startswith("&&") else name if text.startswith("&") else text


def _rows(array: Array) -> str:
    """The elements of ``array``, sixteen a line: a weight row, or a block of channels."""
    values = array.ravel().tolist()
    lines = (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))
    return "\n".join("    " + ", ".join(map(str, line)) + "," for line in lines)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("exporters.c", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # This is C, not HTML; text from outside goes through `comment`.
        autoescape=False,
    )
    environment.filters |= {
        "c_type": lambda array: _C_TYPES[str(array.dtype)],
        "initializer": _initializer,
        "rows": _rows,
    }
    return environment
