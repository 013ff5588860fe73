"""Which type of float a machine trains fastest with."""

from __future__ import annotations

from typing import cast

import torch

from toolchain.training.recipe import Precision


def fastest() -> Precision:
    """bfloat16 where the accelerator, or else the processor, multiplies in it (AVX-512 BF16, AMX); else float32."""
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    supported = (
        getattr(torch.cpu, name, lambda: False)
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return "bfloat16" if any(cast(bool, probe()) for probe in supported) else "float32"
