"""A model that a user's own Python file makes: ``my_net.py:build``, with weights from a safetensors file."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import nn

from toolchain.errors import InputError
from toolchain.files import read_bytes

MAX_WEIGHT_BYTES = 256 * 1024 * 1024
"""Largest file of weights that is read: far above any network that int16 potentials allow."""


def load_model(file: Path, name: str, weights: Path | None) -> nn.Module:
    """The ``nn.Module`` called ``name`` in ``file``, or what the function of that name returns, with its weights.

    The file is run, because the user names it; ``weights`` only hold numbers. Raises ``InputError`` if either is
    missing or broken, or the two do not fit.
    """
    found = getattr(_run(file), name, None)
    if found is None:
        raise InputError(
            f"{file} has no {name!r}; give a function or a model of its own, as in {file.name}:build"
        )
    if not isinstance(found, nn.Module) and callable(found):
        try:
            found = found()
        except Exception as error:
            raise InputError(f"{file}: {name}() fails: {_said(error)}") from error
    if not isinstance(found, nn.Module):
        raise InputError(f"{file}: {name!r} gives a {type(found).__name__}, not an nn.Module")
    if weights is not None:
        _fill(found, weights)
    return found


def _run(file: Path) -> ModuleType:
    if not file.is_file():
        raise InputError(f"{file} does not exist or is not a file; check the path")
    spec = importlib.util.spec_from_file_location("brought_network", file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is not a Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    # What a script sees: its own folder first, and itself among the modules.
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(f"{file} cannot be run: {_said(error)}") from error
    finally:
        sys.modules.pop(spec.name, None)
        sys.path.remove(folder)
    return module


def _fill(model: nn.Module, weights: Path) -> None:
    if weights.suffix != ".safetensors":
        raise InputError(
            f"{weights} is not a .safetensors file, and no other is read, since a pickle runs what it likes; write one "
            "with safetensors.torch.save_file(net.state_dict(), 'net.safetensors')"
        )
    content = read_bytes(weights, MAX_WEIGHT_BYTES)
    try:
        tensors = load_tensors(content)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{weights} is not a safetensors file: {error}") from error
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:4]]
        raise InputError(f"{weights} does not fit the model: {' '.join(lines) or error}") from error


def _said(error: BaseException) -> str:
    first = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {first}"
