"""``model.nir``, read back: the integers of the network that is in the file."""

from __future__ import annotations

from exporters.nir import FILE
from toolchain.verification.bench import Bench
from toolchain.verification.runtimes.nir import NirRuntime

ELSEWHERE = (
    f"{FILE}: other readers of NIR compute with a real-valued leak, reset to zero and do not round currents of pixels, "
    "so their spikes differ in part; this toolchain reads the exact form from the file's metadata"
)


def verify_nir(bench: Bench) -> None:
    """Compare the scores of ``model.nir``, if the run has it."""
    with bench.recording():
        path = bench.present(FILE)
        if path is None:
            return
        bench.progress(f"reading {FILE} back")
        runtime = NirRuntime(path)
        bench.require_own(path, runtime.facts)
        bench.compare(path.name, runtime, runtime.scores(bench.images))
        bench.notes.append(ELSEWHERE)
