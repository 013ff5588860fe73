"""A float network's ONNX file in ONNX Runtime against torch: near, not equal, because sums are rounded as ordered.

Where a membrane potential comes so close to the threshold that rounding decides, a neuron fires in one and not in the
other, and the image's logits differ visibly. So a share of the images may.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.checker import ValidationError

from exporters.onnx.lowering import IMAGE
from toolchain.errors import InputError, OutputsDifferError, ToolMissingError
from toolchain.network.snasnet import SnasnetNetwork
from toolchain.verification.runtimes.libraries import first_line

TOLERANCE = 1e-3
"""Largest difference of two logits that are the same but for rounding."""

SHARE = 0.02
"""Most images whose logits may differ by more."""

IMAGES = 100
BATCH = 25


@dataclass(frozen=True)
class FloatComparison:
    """Images run in both, those with logits apart by more than ``TOLERANCE``, and those of another class."""

    artifact: str
    runtime: str
    images: int
    apart: int
    other_class: int


def compare_float(path: Path, network: SnasnetNetwork, images: NDArray[np.uint8]) -> FloatComparison:
    """Run up to ``IMAGES`` of ``images`` uint8 [n, C, H, W] in both.

    Raises ``OutputsDifferError`` if more than a ``SHARE`` of them differ, ``InputError`` if the file does not
    run, ``ToolMissingError`` without onnxruntime.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ToolMissingError(
            f"onnxruntime cannot be loaded ({error}); `pip install onnxruntime`"
        ) from error
    used = images[:IMAGES]
    try:
        onnx.checker.check_model(str(path))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        parts = [session.run(None, {IMAGE: used[i : i + BATCH]})[0] for i in range(0, len(used), BATCH)]
    except ValidationError as error:
        raise InputError(f"{path} is not a valid ONNX file: {first_line(error)}; export it again") from error
    except Exception as error:  # onnxruntime's errors have no base class of their own
        raise InputError(f"ONNX Runtime cannot run {path}: {first_line(error)}; export it again") from error
    with torch.no_grad():
        expected = torch.cat([network.eval()(part) for part in torch.from_numpy(used).split(BATCH)]).numpy()
    found = np.concatenate(parts)
    apart = int((np.abs(found - expected).max(1) > TOLERANCE).sum())
    other = int((found.argmax(1) != expected.argmax(1)).sum())
    result = FloatComparison(path.name, f"ONNX Runtime {onnxruntime.__version__}", len(used), apart, other)
    if apart > SHARE * len(used):
        raise OutputsDifferError(
            f"{path}: logits of {apart} of {len(used)} images are apart from torch's by more than {TOLERANCE};"
            " this is a bug, please report it with the run folder"
        )
    return result
