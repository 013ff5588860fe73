"""Runs in a process of its own: resident memory above the bare runtime, latency, and scores, of one artifact.

    python -m toolchain.verification.linux_probe RUNTIME MODEL IMAGES.npy [SCORES.npy | SECONDS]
    python linux_probe.py versions

RUNTIME is ``onnxruntime``, ``tflite_runtime`` or ``ai_edge_litert``. The bare runtime is the process after
it has imported the runtime and numpy. Prints one JSON object; with SCORES.npy it writes the scores there instead. With
SECONDS, as on a board, the object has the scores too, of as many images as there is time for. ``versions`` prints what
is installed. It uses the runtime as a program on a board would, without this toolchain's reading and checking of the
file, and needs nothing but numpy and the runtime, on any architecture, from Python 3.6 on.
"""

import base64
import io
import json
import os
import sys
import time
from importlib import import_module
from typing import Any, Callable, Dict, List, Optional

MARK = "spikenas-probe/1 "
"""Begins the line with the object, since a board's runtimes and login scripts print what they like."""

WARM_UP = 5
"""Inferences before the timed ones."""

TIMED = 40
"""Fewest inferences that are timed, so that a 95th percentile is not the largest of a few."""

RUNTIMES = ("onnxruntime", "tflite_runtime", "ai_edge_litert")


def main(*arguments: str) -> None:
    """Do what the arguments say, and print the object."""
    if arguments == ("versions",):
        _say(_versions())
        return
    runtime, model, images = arguments[:3]
    last = arguments[3] if len(arguments) > 3 else ""
    np = import_module("numpy")
    pixels = np.load(images, allow_pickle=False)
    library = import_module(_module(runtime))
    before = _resident_bytes("VmRSS")
    _forget_peak()
    run = (_onnx if runtime == "onnxruntime" else _tflite)(library, model)
    if last.endswith(".npy"):
        np.save(last, np.array([run(image[np.newaxis])[0] for image in pixels], np.int32), allow_pickle=False)
        return
    seconds = float(last or "inf")
    scores: List[Any] = []
    times: List[float] = []
    began = time.time()
    wanted = WARM_UP + max(TIMED, len(pixels))
    for index in range(wanted):
        image = pixels[index % len(pixels)][np.newaxis]
        start = time.perf_counter()
        found = run(image)
        times.append(time.perf_counter() - start)
        if index < len(pixels):
            scores.append(found[0])
        if index >= WARM_UP + TIMED and time.time() - began > seconds:
            break
        if not os.path.exists(model):
            sys.exit("the file was taken away")  # whoever asked for this has gone
    peak = _resident_bytes("VmHWM")
    resident = None if before is None or peak is None else max(0, peak - before)
    median, slow = (int(value * 1e6) for value in np.percentile(times[WARM_UP:], (50, 95)))
    told: Dict[str, Any] = {"resident_bytes": resident, "latency_us": median, "latency_p95_us": slow}
    if last:
        stream = io.BytesIO()
        np.save(stream, np.array(scores, np.int32), allow_pickle=False)
        told["scores"] = base64.b64encode(stream.getvalue()).decode()
    _say(told)


def _say(told: Dict[str, Any]) -> None:
    print("\n" + MARK + json.dumps(told), flush=True)


def _versions() -> Dict[str, Any]:
    """Version of Python, and of each module that can be imported; of the others, why not."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    missing = {}
    for name in ("numpy",) + RUNTIMES:
        try:
            import_module(_module(name))
            found[name] = str(getattr(import_module(name), "__version__", "of an unknown version"))
        except Exception as error:  # a wheel for another processor raises what it likes
            missing[name] = "%s: %s" % (type(error).__name__, error)
    return {"found": found, "missing": missing}


def _module(runtime: str) -> str:
    return runtime + ".interpreter" if runtime in RUNTIMES[1:] else runtime


def _onnx(library: Any, model: str) -> Callable[[Any], Any]:
    options = library.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = library.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def _tflite(library: Any, model: str) -> Callable[[Any], Any]:
    interpreter = library.Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    np = import_module("numpy")

    def run(image: Any) -> Any:
        # Frames of an image stand where other networks have a batch.
        interpreter.set_tensor(entry["index"], np.moveaxis(image, -3, -1).reshape(entry["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return run


def _resident_bytes(field: str) -> Optional[int]:
    try:
        with open("/proc/self/status") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def _forget_peak() -> None:
    """Let the peak begin at what is resident now, so that what importing took in passing does not hide the model."""
    try:
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
    except OSError:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
