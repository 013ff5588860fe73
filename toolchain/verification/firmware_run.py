"""Firmware on an emulator: its integers, what it wrote, how deep its stack went, how many instructions it took."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.code_size import DEFAULT_COMPILER
from toolchain.cost.cycles import binding, image_range_ms, range_words
from toolchain.cost.kernel_choice import choices
from toolchain.cost.layout import Layout
from toolchain.cost.microcontroller import graph_instructions
from toolchain.graph import reference
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.elf import Image
from toolchain.verification.firmware_image import maker
from toolchain.verification.footprint_proof import Proof, arena_findings
from toolchain.verification.inspection import Inspection
from toolchain.verification.network_symbols import network_name
from toolchain.verification.runtimes.base import Runtime
from toolchain.verification.spike_events import spike_events
from toolchain.verification.stack_bound import StackBound
from toolchain.verification.verdict import FirmwareReport

FIRMWARE_S = 120.0
"""Without ``--samples``, as many images are emulated as this many seconds allow: all, if all can be."""

TIMED_IMAGES = 4
INSPECTED_IMAGES = 2
"""Images whose instructions, writes and stack are recorded: enough, because what is written where depends
on the image only through which weights are read."""

CHUNK = 50


class FirmwareRuntime(Runtime, Protocol):
    """An emulator that can also tell what the firmware did."""

    image: Image

    def inspect(self, image: NDArray[np.uint8]) -> Inspection:
        """Run one image and record what was done."""
        ...

    def stack_bytes(self) -> int:
        """Deepest use of the stack so far."""
        ...


def run_firmware(
    bench: Bench,
    runtime: FirmwareRuntime,
    name: str,
    plan: Layout,
    proven: tuple[Proof, ...],
    memory: str,
    bound: StackBound | None,
) -> None:
    """Compare the integers, inspect a few images, and report what was used.

    ``bound`` is the image's own, None if its code has none, which is recorded elsewhere.
    """
    image = runtime.image
    bench.compare(name, runtime, emulated_scores(bench, runtime, name))
    if image.symbol(f"{network_name(image)}_arena").size_bytes != plan.arena_bytes:
        return  # recorded by the proof; what such an arena's bytes are for is not known
    inspections = [runtime.inspect(pixels) for pixels in bench.images[:INSPECTED_IMAGES]]
    written = np.bitwise_or.reduce(
        [np.frombuffer(inspection.written, np.uint8) for inspection in inspections]
    )
    for finding in arena_findings(plan, written.tobytes()):
        bench.fail("plan", f"{name} is not as planned: {finding}")
    for first, end in sorted({stray for inspection in inspections for stray in inspection.strays}):
        bench.fail(
            "plan", f"{name} writes to 0x{first:08x} to 0x{end:08x}, beside its arena, mailbox and stack"
        )
    if not all(inspection.repeatable for inspection in inspections):
        bench.fail("differs", f"{name} gives other scores when memory held other bytes before")
    counts = [inspection.count for inspection in inspections if inspection.count]
    top, limit = image.symbol("_stack_top").address, image.symbol("_stack_limit").address
    # The paint shows what was written, the stack pointer what was reserved; the deeper of the two counts.
    stack = max([runtime.stack_bytes(), *(top - count.lowest_stack for count in counts)])
    bench.hold([BudgetLine(name, "stack", stack, top - limit, "emulated")])
    if bound is not None and stack > bound.program_bytes:
        bench.fail(
            "plan",
            f"{name} used {stack} bytes of its stack, and by its code {bound.program_bytes} suffice, so it ran what "
            "its code does not show; export the network again",
        )
    if bench.limits.latency_ms is not None and counts:
        _, slowest_ms = image_range_ms(bench.profile, max(count.instructions for count in counts))
        slowest, available = int(slowest_ms * 1000), int(bench.limits.latency_ms * 1000)
        note = range_words(bench.profile, slowest_ms)
        line = BudgetLine(
            name, "latency", slowest, available, "estimated", "us", note, binding(bench.profile)
        )
        bench.hold([line])
    bench.firmware.append(
        FirmwareReport(
            artifact=name,
            runtime=runtime.name,
            memory=memory,
            proofs=proven,
            instructions=tuple(count.instructions for count in counts),
            stack_used_bytes=stack,
            stack_reserved_bytes=top - limit,
            stack_bound_bytes=None if bound is None else bound.bytes,
            arena_written_bytes=int(written.sum()),
            # The prices of instructions are those of kernels that run all time steps.
            estimated_instructions=_estimated(bench, image) if counts and bench.schedule == "layers" else (),
        )
    )


def _estimated(bench: Bench, image: Image) -> tuple[int, ...]:
    """Instructions that the cost model estimates for the inspected images, at the spikes that each of them causes."""
    spikes = next(reference.traces(bench.graph, bench.images[:INSPECTED_IMAGES])).spikes
    sharing = _sharing(bench)
    core, built_with = str(bench.profile.core), maker(image, bench.graph) or DEFAULT_COMPILER
    return tuple(
        round(graph_instructions(bench.graph, core, spike_events(bench.graph, one, sharing), built_with))
        for index in range(len(bench.images[:INSPECTED_IMAGES]))
        for one in [{name: planes[:, index : index + 1] for name, planes in spikes.items()}]
    )


def _sharing(bench: Bench) -> set[str]:
    """The nodes whose kernels share rows between time steps, as the exported sources say."""
    from exporters.c import spike_record

    events = spike_record.read_if_there(bench.artifacts / "c", bench.graph)
    found = choices(bench.graph, bench.profile.core, events)
    return {name for name, choice in found.items() if choice.share}


def emulated_scores(bench: Bench, runtime: Runtime, name: str) -> NDArray[np.int32]:
    """Scores of all images, or of as many as ``FIRMWARE_S`` allows if the user did not say how many."""
    start = time.monotonic()
    parts = [runtime.scores(bench.images[:TIMED_IMAGES])]
    done, count = len(parts[0]), len(bench.images)
    if not bench.sampled:
        count = min(count, max(done, int(FIRMWARE_S * done / (time.monotonic() - start))))
        if count < len(bench.images):
            bench.notes.append(
                f"{name} ran {count} of {len(bench.images)} images in {runtime.name}, in some {FIRMWARE_S:g} s; "
                f"`--samples {len(bench.images)}` runs all"
            )
    told = time.monotonic()
    while done < count:
        parts.append(runtime.scores(bench.images[done : min(done + CHUNK, count)]))
        done += len(parts[-1])
        if time.monotonic() - told > 5:
            told = time.monotonic()
            bench.progress(f"emulating {name}: {done} of {count} images")
    return np.concatenate(parts)
