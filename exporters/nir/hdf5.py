"""HDF5 files as trees of arrays and texts, read by a process of its own (``exporters.nir.unpack``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load

from exporters.metadata import MAX_ARTIFACT_BYTES
from exporters.nir import unpack
from toolchain.errors import InputError, ToolMissingError
from toolchain.files import read_bytes

Tree = dict[str, Any]
"""Groups as dicts, datasets as arrays, texts or nested lists of texts."""

MAX_WAIT_S = 60.0
"""The reader's processor time is limited to far less; this is for a machine that is busy otherwise."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read(path: Path) -> Tree:
    """The file's content. Raises ``InputError`` if it is missing, too large, broken or hostile, ``ToolMissingError``
    if h5py is not installed."""
    content = read_bytes(path, MAX_ARTIFACT_BYTES)
    if not content.startswith(_SIGNATURE):
        raise InputError(f"{path} is not a NIR file, because it is not HDF5; export it again")
    if find_spec("h5py") is None:
        raise ToolMissingError(
            "NIR files cannot be read without h5py; install it with `pip install 'spikenas-deploy[nir]'`"
        )
    found = _unpacked(path, content)
    try:
        texts = json.loads(found.pop(unpack.TEXTS).tobytes())
        return tree(found | texts)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not a NIR file, or is damaged; export it again") from error


def _unpacked(path: Path, content: bytes) -> dict[str, Any]:
    root = Path(__file__).resolve().parents[2]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Threads of numpy's libraries would reserve more addresses than the process may have.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            [sys.executable, "-m", unpack.__name__],
            input=content,
            capture_output=True,
            timeout=MAX_WAIT_S,
            env=os.environ | threads | {"PYTHONPATH": os.pathsep.join(paths), "HDF5_PLUGIN_PRELOAD": "::"},
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{path} takes too long to read, so it is no NIR file; export it again") from None
    if done.returncode == unpack.REFUSED:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{path} {said[-1] if said else 'is damaged'}; export it again")
    if done.returncode:
        raise InputError(f"{path} is damaged in a way that HDF5 cannot read; export it again")
    try:
        return dict(load(done.stdout))
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{path} is not a NIR file, or is damaged; export it again") from error


def tree(items: dict[str, Any]) -> Tree:
    root: Tree = {}
    for path, value in items.items():
        *groups, name = path.split("/")
        inner = root
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return root
