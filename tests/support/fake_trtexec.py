"""Stands for TensorRT's ``trtexec``: the same options, and files in the same form, computed by ONNX Runtime.

Options that TensorRT 8.0 does not print with --help are refused. An engine is the ONNX file under another name.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import onnxruntime

VALUED = {
    *("--onnx", "--saveEngine", "--loadEngine", "--loadInputs", "--exportOutput", "--exportTimes"),
    *("--iterations", "--warmUp", "--duration"),
}
PLAIN = {"--noTF32", "--fp16", "--int8"}


def main(words: list[str]) -> None:
    options = dict(word.partition("=")[::2] for word in words)
    for word in words:
        name, equals, _ = word.partition("=")
        assert name in (VALUED if equals else PLAIN), f"Unknown option: {word}"
    assert ("--onnx" in options) != ("--loadEngine" in options)
    if "--onnx" in options:
        assert "--noTF32" in options
        shutil.copy(options["--onnx"], options["--saveEngine"])
    session = onnxruntime.InferenceSession(
        Path(options.get("--saveEngine") or options["--loadEngine"]).read_bytes(),
        providers=["CPUExecutionProvider"],
    )
    (entry,) = session.get_inputs()
    name, _, file = options["--loadInputs"].partition(":")
    assert name == entry.name
    pixels = np.fromfile(file, "<f4").reshape(entry.shape)
    (output,) = session.get_outputs()
    (values,) = session.run([output.name], {name: pixels})
    # As `std::ostream << float` writes them: six digits.
    listed = ", ".join(f"{value:.6g}" for value in values.ravel())
    shape = "x".join(map(str, values.shape))
    Path(options["--exportOutput"]).write_text(
        f'[\n  {{ "name" : "{output.name}"\n  , "dimensions" : "{shape}"\n  , "values" : [ {listed} ]\n  }}\n]\n'
    )
    if "--exportTimes" in options:
        count = int(options["--iterations"])
        rows = ", ".join(f'{{ "computeMs" : 0.5, "latencyMs" : {0.7 + 0.01 * i:g} }}\n' for i in range(count))
        Path(options["--exportTimes"]).write_text(f"[\n  {rows}]\n")
    print("&&&& PASSED TensorRT.trtexec\n" + "noise\n" * 50_000)


if __name__ == "__main__":
    main(sys.argv[1:])
