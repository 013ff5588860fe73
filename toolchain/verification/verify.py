"""``verify``: every artifact of a run in its own runtime, against the reference, the plan and the budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.dataset import Targets
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import load_graph
from toolchain.profiles.budget import Budget, budget
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.verification.activity import SpikeCounter
from toolchain.verification.bench import Bench
from toolchain.verification.emulated_artifacts import verify_emulated
from toolchain.verification.firmware_artifacts import verify_firmware
from toolchain.verification.linux_artifacts import verify_linux
from toolchain.verification.micro_artifacts import verify_micro
from toolchain.verification.nir_artifacts import verify_nir
from toolchain.verification.prediction import UNMEASURED, predicted_lines
from toolchain.verification.tensorrt_artifacts import verify_tensorrt
from toolchain.verification.verdict import Verdict, profile_sha256

REPORT = "report.json"
TELL_S = 5.0
"""Seconds between words on how far a long step is."""


def verify(
    folder: Path,
    profile: Profile,
    images: NDArray[np.uint8],
    targets: Targets,
    *,
    samples: int | None = None,
    compilers: Sequence[str] = (),
    qemu: bool = False,
    emulate: str | None = None,
    limits: Budget | None = None,
    on_board: Callable[[Bench], None] | None = None,
    on_linux: Callable[[Bench], None] | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> Verdict:
    """Verify the artifacts of the run in ``folder`` and write its ``report.json``.

    ``images`` are preprocessed test images uint8 [n, C, H, W], or [n, T, C, H, W] for a network that takes frames,
    ``targets`` their own, as of a ``Subset``; the first ``samples`` of them are used, by default all (the firmware: as
    many as two minutes allow; TensorFlow Lite Micro: one minute; the step form: 50). ``compilers`` ("zig", "gcc")
    build the exported sources anew, beside the ``firmware.elf`` of the run.
    ``qemu`` asks QEMU for a second opinion. ``emulate`` ("aarch64", "armhf") also runs ONNX and TFLite files there.
    ``limits`` is a narrowed budget. ``on_board`` runs the network on a real board, before all else, and
    ``on_linux`` runs on a real Linux board what was checked here, in the end.

    Raises ``InputError`` if the run has no network or no artifact, ``ToolMissingError`` if what an artifact
    needs to run is not installed. A broken, differing or too large artifact is a failure in the verdict.
    """
    graph = load_graph(folder)
    if samples is not None and samples < 1:
        raise InputError(f"--samples is {samples}; give a number of images above 0")
    if images.shape[1:] != graph.input.extents or not len(images) or len(images) != len(targets):
        raise InputError(
            f"the {len(images)} test images are {list(images.shape[1:])}, but the network takes "
            f"{list(graph.input.extents)}; verify it with the data that it was trained on"
        )
    used, spikes = images[:samples], SpikeCounter()
    bench = Bench(
        folder / "artifacts",
        graph,
        profile,
        limits or budget(profile),
        used,
        targets[:samples],
        _expected(graph, used, spikes, progress),
        samples is not None,
        progress,
        RunFolder(folder).schedule(),
    )
    if on_board is not None:
        on_board(bench)
    verify_linux(bench)
    verify_micro(bench)
    verify_tensorrt(bench)
    verify_firmware(bench, compilers, qemu)
    verify_nir(bench)
    if emulate is not None:
        verify_emulated(bench, emulate)
    if on_linux is not None:
        on_linux(bench)
    if bench.files:
        predicted = predicted_lines(graph, profile, bench.limits)
        bench.hold([line for line in predicted if line.resource in UNMEASURED])
    if not bench.files and not bench.failures:
        raise InputError(f"{bench.artifacts} holds nothing to verify; run `spikenas-deploy export` first")
    verdict = Verdict(
        profile=profile.name,
        profile_sha256=profile_sha256(profile),
        graph_sha256=graph.sha256(),
        images=len(images),
        operations=spikes.activity(graph),
        artifacts=tuple(bench.files),
        comparisons=tuple(bench.comparisons),
        firmware=tuple(bench.firmware),
        budget=tuple(bench.budget),
        notes=tuple(dict.fromkeys(bench.notes)),
        failures=tuple(bench.failures),
        costs=tuple(bench.costs),
        consoles=tuple(bench.consoles),
        boards=tuple(bench.boards),
    )
    verdict.write(folder / REPORT)
    return verdict


def _expected(
    graph: Graph, images: NDArray[np.uint8], spikes: SpikeCounter, progress: Callable[[str], None]
) -> NDArray[np.int32]:
    """The reference's scores; its spikes are counted in ``spikes``.

    There is a word now and then, because the reference is written to be obvious, not to be fast.
    """
    progress(f"computing the reference for {len(images)} images")
    parts, done, told = [], 0, time.monotonic()
    for trace in reference.traces(graph, images):
        parts.append(trace.scores)
        spikes.add(trace.spikes)
        done += len(trace.scores)
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            progress(f"computing the reference: {done} of {len(images)} images")
    return np.concatenate(parts)
