"""Does a package work, not just import? One function per package, run in a process of its own.

``python -m toolchain.environment.probes NAME...`` writes one JSON line per name, ``{"name", "error"}``, as
soon as it knows, so that a package that takes the interpreter down with it is the first one not reported.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

# y = relu(x) for one float, in each format; the tests write both anew and compare.
RELU_TFLITE = base64.b64decode(
    "GAAAAFRGTDMAAA4AFAAQAAwACAAAAAQADgAAABAAAAAcAAAA0AAAAAMAAAABAAAACAAAAAQABAAEAAAAAQAAABAAAAAMABQAEAAM"
    "AAgABAAMAAAAEAAAADwAAABAAAAARAAAAAEAAAAQAAAAAAAKAAwAAAAIAAQACgAAAAgAAAAMAAAAAQAAAAEAAAABAAAAAAAAAAEA"
    "AAABAAAAAQAAAAAAAAACAAAAMAAAAAQAAADk////CAAAAAwAAAABAAAAeQAAAAEAAAABAAAADAAMAAgAAAAAAAQADAAAAAgAAAAM"
    "AAAAAQAAAHgAAAABAAAAAQAAAAEAAAAQAAAADAAMAAsAAAAAAAQADAAAABMAAAAAAAAT"
)
RELU_ONNX = base64.b64decode(
    "CAc6MwoMCgF4EgF5IgRSZWx1EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQDQ=="
)


def _nir() -> None:
    import io

    import nir
    import numpy

    # Writing needs h5py, which may be built for another HDF5 or numpy.
    nir.write(io.BytesIO(), nir.NIRGraph.from_list(nir.Linear(weight=numpy.ones((1, 1)))))


def _numpy() -> None:
    import numpy

    assert numpy.arange(3).sum() == 3


def _torch() -> None:
    import numpy
    import torch

    # A torch built for another numpy imports, and fails at the first exchange of arrays.
    assert torch.from_numpy(numpy.ones(2)).sum().item() == 2


def _snntorch() -> None:
    import torch
    from snntorch import surrogate

    assert surrogate.fast_sigmoid()(torch.ones(1)).item() == 1


def _onnx() -> None:
    import onnx

    onnx.checker.check_model(RELU_ONNX)


def _onnxruntime() -> None:
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(RELU_ONNX, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": numpy.ones(1, numpy.float32)})[0][0] == 1


def _interpret_tflite(interpreters: ModuleType) -> None:
    import numpy

    interpreter = interpreters.Interpreter(model_content=RELU_TFLITE, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], numpy.ones(1, numpy.float32))
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0] == 1


def _tflite_runtime() -> None:
    import tflite_runtime.interpreter

    # With numpy 2 the import succeeds and this fails.
    _interpret_tflite(tflite_runtime.interpreter)


def _ai_edge_litert() -> None:
    import ai_edge_litert.interpreter
    from ai_edge_litert import schema_py_generated

    assert schema_py_generated.ModelT.InitFromPackedBuf(RELU_TFLITE).version == 3
    _interpret_tflite(ai_edge_litert.interpreter)


def _tflite_micro() -> None:
    import numpy
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(RELU_TFLITE, arena_size=1 << 14)
    interpreter.set_input(numpy.ones(1, numpy.float32), 0)
    interpreter.invoke()
    assert interpreter.get_output(0)[0] == 1


def _safetensors() -> None:
    import numpy
    import safetensors.numpy

    assert safetensors.numpy.load(safetensors.numpy.save({"w": numpy.ones(2)}))["w"].sum() == 2


def _pillow() -> None:
    from PIL import Image

    assert Image.new("L", (2, 2)).resize((1, 1)).size == (1, 1)


def _unicorn() -> None:
    import unicorn

    machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
    machine.mem_map(0, 0x1000)
    nop = b"\x00\xbf"
    machine.mem_write(0, nop)
    machine.emu_start(1, len(nop), count=1)


def _capstone() -> None:
    import capstone

    nop = b"\x00\xbf"
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB)
    assert next(decoder.disasm(nop, 0)).mnemonic == "nop"


def _pyelftools() -> None:
    import elftools.elf.elffile  # noqa: F401


def _ziglang() -> None:
    command = [sys.executable, "-m", "ziglang", "version"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


PROBES: dict[str, Callable[[], None]] = {
    "nir": _nir,
    "numpy": _numpy,
    "onnx": _onnx,
    "onnxruntime": _onnxruntime,
    "safetensors": _safetensors,
    "pillow": _pillow,
    "ziglang": _ziglang,
    "unicorn": _unicorn,
    "capstone": _capstone,
    "pyelftools": _pyelftools,
    "tflite-runtime": _tflite_runtime,
    "tflite-micro": _tflite_micro,
    "ai-edge-litert": _ai_edge_litert,
    "torch": _torch,
    "snntorch": _snntorch,
}
"""Distribution name -> what must work; raises whatever the package raises."""


def main(names: list[str]) -> None:
    """Try each named package and report it on stdout."""
    for name in names:
        error = None
        try:
            PROBES[name]()
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}".splitlines()[0]
        print(json.dumps({"name": name, "error": error}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
