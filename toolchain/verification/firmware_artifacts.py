"""The firmware: its integers on the emulated board, and predicted against used."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.layout import Layout, layout
from toolchain.errors import InputError
from toolchain.profiles.schema import Profile
from toolchain.verification import qemu_machine
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import BudgetLine, image_lines, region_lines
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.footprint_proof import PREFIX, Proof, arena_findings, findings, proofs
from toolchain.verification.inspection import Inspection
from toolchain.verification.runtimes.base import Runtime
from toolchain.verification.runtimes.host import HostRuntime
from toolchain.verification.runtimes.qemu import QemuRuntime
from toolchain.verification.runtimes.unicorn import UnicornRuntime
from toolchain.verification.verdict import FirmwareReport

FIRMWARE_S = 120.0
"""Without ``--samples``, as many images are emulated as this many seconds allow: all, if all can be."""

TIMED_IMAGES = 4
INSPECTED_IMAGES = 2
"""Images whose instructions, writes and stack are recorded: enough, because what is written where depends
on the image only through which weights are read."""

CHUNK = 50
ELF = "firmware.elf"


class FirmwareRuntime(Runtime, Protocol):
    """An emulator that can also tell what the firmware did."""

    image: Image

    def inspect(self, image: NDArray[np.uint8]) -> Inspection:
        """Run one image and record what was done."""
        ...

    def stack_bytes(self) -> int:
        """Deepest use of the stack so far."""
        ...


def verify_firmware(bench: Bench, compilers: Sequence[str], qemu: bool) -> None:
    """Run ``firmware.elf``, and what each of ``compilers`` makes of the exported sources, those that the run has."""
    path, sources = bench.present(ELF), bench.artifacts / "c"
    if path is not None:
        _verify_image(bench, path, ELF, None, qemu)
    elif sources.is_dir():
        _verify_sources(bench, sources)
    for compiler in compilers:
        if not sources.is_dir():
            raise InputError(f"{sources} does not exist; run `spikenas-deploy export` first")
        bench.progress(f"building with {compiler}")
        with tempfile.TemporaryDirectory(prefix="spikenas-") as folder, bench.recording():
            copy = Path(shutil.copytree(sources, Path(folder) / "c"))
            _verify_image(bench, _built(copy, bench.profile, compiler), f"{ELF} ({compiler})", compiler, qemu)


def _verify_sources(bench: Bench, sources: Path) -> None:
    """Sources alone, for a core that is not built for here: their integers, on this machine's processor."""
    for path in sorted(sources.iterdir()):
        bench.present(f"c/{path.name}")
    bench.notes.append(
        f"firmware for {bench.profile.core} is not built or emulated here: the C sources ran on this machine, and "
        "their footprint is a prediction"
    )
    bench.progress("compiling the C sources for this machine")
    with tempfile.TemporaryDirectory(prefix="spikenas-") as folder, bench.recording():
        runtime = HostRuntime(sources, bench.graph, bench.profile, Path(folder))
        bench.compare("c", runtime, runtime.scores(bench.images))
    used = {region.name: region.used_bytes for region in layout(bench.graph, bench.profile).regions}
    bench.hold(region_lines("prediction", used, bench.limits, "estimated"))


def _verify_image(bench: Bench, elf: Path, name: str, compiler: str | None, qemu: bool) -> None:
    """Everything about one image, named ``name`` in the verdict."""
    plan = layout(bench.graph, bench.profile)
    in_unicorn = bench.profile.emulation is not None and bench.profile.emulation.unicorn_cpu is not None
    with bench.recording():
        image = read_elf(elf)
        _belongs(bench, image, name)
        for finding in findings(image, plan, bench.profile):
            bench.fail("plan", f"{name} is not as planned: {finding}")
        bench.hold(image_lines(image, name, bench.profile, bench.limits))
        proven = tuple(proofs(image, plan, bench.profile))
        if in_unicorn:
            bench.progress(f"emulating {name}")
            runtime = UnicornRuntime(elf, bench.profile, bench.graph)
            if runtime.stand_in:
                bench.notes.append(runtime.stand_in)
            _run(
                bench, runtime, name, plan, proven, f"exactly what {bench.profile.name} gives to the network"
            )
        if qemu or not in_unicorn:
            _in_qemu(bench, elf, name, compiler, () if in_unicorn else proven)


def _in_qemu(bench: Bench, elf: Path, name: str, compiler: str | None, proven: tuple[Proof, ...]) -> None:
    """A second opinion; where ``proven`` is given the only one, which then also has to inspect and report."""
    machine = qemu_machine.machine_profile(bench.profile)
    memories = " and ".join(
        f"{r.size_bytes // 1024} KiB {r.kind} at 0x{r.origin:08x}" for r in machine.regions
    )
    bench.progress(f"running {name} on QEMU's {qemu_machine.machine_name(bench.profile)}")
    with tempfile.TemporaryDirectory(prefix="spikenas-") as folder:
        if qemu_machine.fits(read_elf(elf), machine):
            how, profile = "the same image", bench.profile
        else:
            from exporters.c import export

            how, profile = "linked again for it", machine
            export(bench.graph, machine, Path(folder))
            elf = _built(Path(folder) / "c", machine, compiler)
        with QemuRuntime(elf, profile, bench.graph) as runtime:
            memory = f"{memories} ({how})"
            if proven:
                _run(bench, runtime, name, layout(bench.graph, profile), proven, memory)
            else:
                bench.compare(name, runtime, _scores(bench, runtime, name))
    bench.notes.append(f"{name} ran on {runtime.name} with {memory}, where a stray access need not fault")


def _run(
    bench: Bench, runtime: FirmwareRuntime, name: str, plan: Layout, proven: tuple[Proof, ...], memory: str
) -> None:
    """Compare the integers, inspect a few images, and report what was used."""
    image = runtime.image
    bench.compare(name, runtime, _scores(bench, runtime, name))
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
    if bench.limits.latency_ms is not None and counts:
        slowest = max(count.instructions for count in counts) * 1_000_000 // bench.profile.clock_hz
        available = int(bench.limits.latency_ms * 1000)
        bench.hold(
            [BudgetLine(name, "latency", slowest, available, "estimated", "us", "at one instruction a cycle")]
        )
    bench.firmware.append(
        FirmwareReport(
            artifact=name,
            runtime=runtime.name,
            memory=memory,
            proofs=proven,
            instructions=tuple(count.instructions for count in counts),
            stack_used_bytes=stack,
            stack_reserved_bytes=top - limit,
            arena_written_bytes=int(written.sum()),
        )
    )


def _scores(bench: Bench, runtime: Runtime, name: str) -> NDArray[np.int32]:
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


def _belongs(bench: Bench, image: Image, name: str) -> None:
    info = image.symbols.get(f"{PREFIX}_info")
    if info is None or bytes.fromhex(bench.graph.sha256()) not in image.read(info.address, info.size_bytes):
        bench.fail(
            "broken", f"{name} was built from another network than this run's model.json; export it again"
        )


def _built(sources: Path, profile: Profile, compiler: str | None) -> Path:
    from exporters.c.build import build

    return build(sources, profile, compiler).elf  # type: ignore[arg-type]
