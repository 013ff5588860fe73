"""Reads an HDF5 file that may be hostile: ``python -m exporters.nir.unpack`` takes it on stdin, and gives arrays.

Run in a process of its own (``exporters.nir.hdf5``), because HDF5's C library trusts much of what a file says and has
crashed and hung on files before. The process limits its own memory and time, has no path to the file, and reads a
dataset only when its place, type, size and filters have been looked at: no links but hard ones, no storage outside the
file, nothing but numbers and text, and so many bytes in all. What it finds goes to stdout as safetensors.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from safetensors.numpy import save

MAX_BYTES = 128 * 1024 * 1024
"""Most bytes of all arrays together, unpacked."""

MAX_OBJECTS, MAX_DEPTH, MAX_RANK, MAX_TEXTS, MAX_NAME = 20_000, 8, 5, 40_000, 200
MAX_MEMORY_BYTES, MAX_SECONDS = 768 * 1024 * 1024, 2
"""Address space and processor time of the process."""

FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
"""Filters that h5py brings; any other would make HDF5 look for a library to load."""

TEXTS = ""
"""Name of the tensor that holds all texts, as JSON; no dataset's path is empty."""

REFUSED = 3


class Refused(Exception):
    """The file has what no NIR file needs."""


def collect(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """All datasets of an HDF5 file by path: arrays of numbers, and texts or lists of them.

    Raises ``Refused`` with what is wrong, as the end of a sentence about the file.
    """
    h5py = import_module("h5py")  # nir brings it; only this process may load it
    arrays: dict[str, Any] = {}
    texts: dict[str, Any] = {}
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = list(_datasets(h5py, file))
            # Everything is looked at before anything is unpacked.
            if sum(_bytes(h5py, dataset, path) for path, dataset in found) > MAX_BYTES:
                raise Refused(f"holds more than {MAX_BYTES:,} bytes")
            for path, dataset in found:
                if _is_text(h5py, dataset):
                    texts[path] = _text(dataset, path)
                else:
                    values = np.asarray(dataset[()], order="C")
                    # Safetensors hold little-endian numbers.
                    arrays[path] = values.astype(values.dtype.newbyteorder("<"), copy=False)
    except Refused:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, OverflowError, AttributeError) as error:
        raise Refused("is not an HDF5 file, or is damaged") from error
    return arrays, texts


def _datasets(h5py: Any, file: Any) -> Iterator[tuple[str, Any]]:
    """Every dataset with its path, each object once."""
    seen: set[int] = set()
    waiting = [("", file, 0)]
    while waiting:
        path, group, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise Refused(f"nests groups deeper than {MAX_DEPTH}")
        for name in _names(group, MAX_OBJECTS - len(seen)):
            where = f"{path}/{name}" if path else name
            if len(name) > MAX_NAME or not name.isprintable():
                raise Refused("has names that are too long or not printable")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"has a link in place of {where!r:.80}")
            found = group[name]
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                raise Refused(f"has {where!r:.80} in two places")
            seen.add(address)
            if isinstance(found, h5py.Group):
                waiting.append((where, found, depth + 1))
            elif isinstance(found, h5py.Dataset):
                _require_plain(found, where)
                yield where, found
            else:
                raise Refused(f"has {where!r:.80}, which is neither a group nor an array")


def _names(group: Any, most: int) -> list[str]:
    """Names in ``group``; what a group says of how many it has is as little to be trusted as anything else."""
    names = list(itertools.islice(group, most + 1))
    if len(names) > most:
        raise Refused(f"has more than {MAX_OBJECTS:,} objects")
    return names


def _require_plain(dataset: Any, path: str) -> None:
    """Refuse what lies outside the file, is made of other datasets, or is packed in another way."""
    properties = dataset.id.get_create_plist()
    if dataset.is_virtual or properties.get_external_count():
        raise Refused(f"keeps {path!r:.80} outside itself")
    for index in range(properties.get_nfilters()):
        if properties.get_filter(index)[0] not in FILTERS:
            raise Refused(f"has {path!r:.80} packed by a filter other than {', '.join(FILTERS.values())}")


def _is_text(h5py: Any, dataset: Any) -> bool:
    return h5py.check_string_dtype(dataset.dtype) is not None


def _bytes(h5py: Any, dataset: Any, path: str) -> int:
    """Bytes that reading the dataset takes, by what it declares; its chunks are counted if they are larger."""
    shape, dtype = dataset.shape, dataset.dtype
    if shape is None or len(shape) > MAX_RANK:
        raise Refused(f"has {path!r:.80} with no values, or with more than {MAX_RANK} axes")
    text = _is_text(h5py, dataset)
    if not text and not (dtype.kind in "iuf" and dtype.itemsize <= 8 and dtype.subdtype is None):
        raise Refused(f"has {path!r:.80}, which holds neither numbers nor text")
    if text and math.prod(shape) > MAX_TEXTS:
        raise Refused(f"has more than {MAX_TEXTS:,} texts in {path!r:.80}")
    return max(math.prod(shape), math.prod(dataset.chunks or ())) * int(dtype.itemsize)


def _text(dataset: Any, path: str) -> Any:
    values = np.asarray(dataset[()])
    flat = [value.decode() if isinstance(value, bytes) else str(value) for value in values.ravel().tolist()]
    if sum(map(len, flat)) > MAX_BYTES // 8:
        raise Refused(f"has too long a text in {path!r:.80}")
    return flat[0] if values.ndim == 0 else np.array(flat, object).reshape(values.shape).tolist()


def _limit() -> None:
    """Limit this process; where the system has no such limits, the parent's clock remains."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def main() -> int:
    """Read stdin, write stdout; a refusal is one line on stderr and the exit code ``REFUSED``."""
    _limit()
    try:
        arrays, texts = collect(sys.stdin.buffer.read())
        packed = save(arrays | {TEXTS: np.frombuffer(json.dumps(texts).encode(), np.uint8)})
    except (Refused, MemoryError) as error:
        said = str(error) if isinstance(error, Refused) else "takes more memory than a network does"
        print(said, file=sys.stderr)
        return REFUSED
    sys.stdout.buffer.write(packed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
