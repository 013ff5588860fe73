"""The firmware: its integers on the emulated board, and predicted against used."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from exporters.c.cores import CORES
from toolchain.cost.layout import layout
from toolchain.errors import InputError
from toolchain.profiles.schema import Profile
from toolchain.verification import qemu_machine
from toolchain.verification.bench import Bench
from toolchain.verification.elf import read_elf
from toolchain.verification.firmware_image import prove_image, prove_stack
from toolchain.verification.firmware_run import emulated_scores, run_firmware
from toolchain.verification.footprint_proof import Proof
from toolchain.verification.prediction import UNMEASURED, predicted_lines
from toolchain.verification.runtimes.host import HostRuntime
from toolchain.verification.runtimes.qemu import QemuRuntime
from toolchain.verification.runtimes.unicorn import UnicornRuntime
from toolchain.verification.stack_bound import StackBound

ELF = "firmware.elf"


def verify_firmware(bench: Bench, compilers: Sequence[str], qemu: bool) -> None:
    """Run ``firmware.elf``, and what each of ``compilers`` makes of the exported sources, those that the run has."""
    path, sources = None, bench.artifacts / "c"
    with bench.recording():
        path = bench.present(ELF)
        if path is not None:
            _verify_image(bench, path, ELF, None, qemu)
        elif sources.is_dir() and bench.profile.core in CORES:
            raise InputError(f"{bench.artifacts / ELF} does not exist; run `spikenas-deploy export` again")
        elif sources.is_dir():
            _verify_sources(bench, sources)
    for compiler in compilers:
        if not sources.is_dir():
            raise InputError(f"{sources} does not exist; run `spikenas-deploy export` first")
        bench.progress(f"building with {compiler}")
        with tempfile.TemporaryDirectory(prefix="spikenas-") as folder, bench.recording():
            copy = Path(shutil.copytree(sources, Path(folder) / "c"))
            built = _built(copy, bench.profile, compiler)
            if path is not None and built.read_bytes() == path.read_bytes():
                bench.notes.append(f"{compiler} makes {ELF} again, byte for byte")
            else:
                _verify_image(bench, built, f"{ELF} ({compiler})", compiler, qemu)


def _verify_sources(bench: Bench, sources: Path) -> None:
    """Sources alone, for a core that is not built for here: their integers, on this machine's processor."""
    for path in sorted(sources.iterdir()):
        bench.present(f"c/{path.name}")
    board = bench.profile.core or bench.profile.name
    bench.notes.append(
        f"firmware for {board} is not built or emulated here: the C sources ran on this machine"
    )
    bench.progress("compiling the C sources for this machine")
    with tempfile.TemporaryDirectory(prefix="spikenas-") as folder, bench.recording():
        runtime = HostRuntime(sources, bench.graph, bench.profile, Path(folder), bench.schedule)
        bench.compare("c", runtime, runtime.scores(bench.images))
    if bench.limits.regions:
        predicted = predicted_lines(bench.graph, bench.profile, bench.limits, bench.schedule)
        bench.hold([line for line in predicted if line.resource not in UNMEASURED])


def _verify_image(bench: Bench, elf: Path, name: str, compiler: str | None, qemu: bool) -> None:
    """Everything about one image, named ``name`` in the verdict."""
    plan = layout(bench.graph, bench.profile, bench.schedule)
    in_unicorn = bench.profile.emulation is not None and bench.profile.emulation.unicorn_cpu is not None
    with bench.recording():
        image = read_elf(elf)
        proven, bound = prove_image(bench, image, name, plan), prove_stack(bench, image, name)
        if in_unicorn:
            bench.progress(f"emulating {name}")
            runtime = UnicornRuntime(elf, bench.profile, bench.graph)
            if runtime.stand_in:
                bench.notes.append(runtime.stand_in)
            memory = f"exactly what {bench.profile.name} gives to the network"
            run_firmware(bench, runtime, name, plan, proven, memory, bound)
        if qemu or not in_unicorn:
            _in_qemu(bench, elf, name, compiler, () if in_unicorn else proven, bound)


def _in_qemu(
    bench: Bench,
    elf: Path,
    name: str,
    compiler: str | None,
    proven: tuple[Proof, ...],
    bound: StackBound | None,
) -> None:
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
            from exporters.c import export, spike_record

            how, profile = "linked again for it", machine
            events = spike_record.read_if_there(bench.artifacts / "c", bench.graph)
            export(bench.graph, machine, Path(folder), events=events, schedule=bench.schedule)
            elf = _built(Path(folder) / "c", machine, compiler)
        with QemuRuntime(elf, profile, bench.graph) as runtime:
            memory = f"{memories} ({how})"
            if proven:
                plan = layout(bench.graph, profile, bench.schedule)
                run_firmware(bench, runtime, name, plan, proven, memory, bound)
            else:
                bench.compare(name, runtime, emulated_scores(bench, runtime, name))
    bench.notes.append(f"{name} ran on {runtime.name} with {memory}, where a stray access need not fault")


def _built(sources: Path, profile: Profile, compiler: str | None) -> Path:
    from exporters.c.build import build

    return build(sources, profile, compiler).elf  # type: ignore[arg-type]
