"""Small sound boards for the tests of this room; a test changes what it is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def microcontroller() -> dict[str, Any]:
    """A resolved description of a sound microcontroller."""
    return {
        "name": "board",
        "title": "A board",
        "role": "standalone",
        "source": "a data sheet",
        "clock_hz": 100_000_000,
        "core": "cortex-m4",
        "stack_bytes": 2048,
        "default_formats": ["c"],
        "regions": [
            {
                "name": "flash",
                "kind": "flash",
                "origin": 0x0800_0000,
                "size_bytes": 1 << 20,
                "holds": ["code", "weights"],
                "source": "a data sheet",
            },
            {
                "name": "sram",
                "kind": "sram",
                "origin": 0x2000_0000,
                "size_bytes": 1 << 17,
                "holds": ["buffers", "stack"],
                "source": "a data sheet",
            },
        ],
    }


def linux_board() -> dict[str, Any]:
    """A resolved description of a sound Linux board."""
    return {
        "name": "board",
        "title": "A board",
        "role": "linux",
        "source": "a data sheet",
        "clock_hz": 1_000_000_000,
        "default_formats": ["onnx"],
        "linux": {
            "artifact_bytes": 1 << 20,
            "resident_bytes": 1 << 25,
            "latency_ms": 33.0,
            "rate_hz": 30.0,
            "ram_bytes": 1 << 30,
            "source": "estimate: a camera",
        },
        "runtime": {
            "os_release": "An OS 1",
            "glibc": "2.36",
            "python": "3.11",
            "onnxruntime": "1.20.1",
            "onnx_opset": 17,
            "onnx_ir_version": 8,
            "source": "release notes",
        },
    }


def write(file: Path, description: dict[str, Any]) -> Path:
    """``description`` as a TOML file, its regions as [regions.NAME]; the name is the file's."""
    lines, tables = [], []
    for key, value in description.items():
        if key == "regions":
            tables += [(f"regions.{r['name']}", {k: v for k, v in r.items() if k != "name"}) for r in value]
        elif isinstance(value, dict):
            tables.append((key, value))
        elif key != "name":
            lines.append(f"{key} = {json.dumps(value)}")
    for name, table in tables:
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    file.write_text("\n".join(lines) + "\n")
    return file
