"""From a trained run to its artifacts and their verdict: export, link, put in place at once, verify."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.base import Target, chosen, exporter
from exporters.c import compilers
from exporters.c import export as export_c
from exporters.c.build import build
from exporters.c.cores import CORES
from exporters.c.export import DEFAULT_PREFIX, FOLDER
from exporters.c.integrations import ALWAYS
from exporters.c.integrations import chosen as chosen_integrations
from exporters.onnx import runtime_versions, tensorrt
from toolchain import schedules
from toolchain.architecture.snasnet import SPACE, refuse
from toolchain.cost.event_lists import LayerEvents, calibrated
from toolchain.errors import InputError, OverBudgetError, ToolMissingError
from toolchain.files import read_json
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.storage import load_graph
from toolchain.graph.streams import stream_limit
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder, untrained
from toolchain.verification import emulator, qemu_machine
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import model_line
from toolchain.verification.runtimes import tflm
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify

if TYPE_CHECKING:
    from exporters.c.explanation import LayerKernel

Progress = Callable[[str], None]


def require_tools(
    profile: Profile, formats: Sequence[str], targets: Sequence[str] = (), *, verify: bool = True
) -> None:
    """Make sure that ``export_run`` with the same formats and targets finds what it needs.

    With ``verify`` also what ``verify_run`` needs then. Raises ``ToolMissingError`` for a compiler or an
    emulator that is not installed, ``InputError`` for an unknown format or target.
    """
    names = {target.name for target in chosen(formats, targets, profile.default_formats)}
    if verify and "micro" in names and (reason := tflm.missing()):
        raise ToolMissingError(reason)
    if "firmware" not in names or profile.core not in CORES:
        return
    compilers.arm_command(None)
    if verify and profile.emulation is not None:
        if profile.emulation.unicorn_cpu is not None:
            emulator.import_unicorn()
        elif profile.emulation.qemu_machine is not None:
            qemu_machine.program()


def explain_run(
    run: RunFolder, formats: Sequence[str], targets: Sequence[str], schedule: str | None = None
) -> Callable[[], tuple[LayerKernel, ...]]:
    """What tells, once ``export_run`` with the same formats and targets is done, which kernel runs each layer and why.

    Raises ``InputError`` at once if no C sources are exported then, or by a ``schedule`` that leaves nothing to choose.
    """
    if schedule not in (None, schedules.DEFAULT_SCHEDULE):
        raise InputError(
            f"by the schedule {schedule:.40} each layer has one kernel, which needs no explanation; leave out --explain"
        )
    from exporters.c import spike_record
    from exporters.c.explanation import explained

    _require_sources(_wanted(run, formats, targets), "an explanation tells of the kernels of C sources")

    def explanation() -> tuple[LayerKernel, ...]:
        graph = load_graph(run.path)
        return explained(graph, run.profile(), spike_record.read(run.artifacts / FOLDER, graph))

    return explanation


def _wanted(run: RunFolder, formats: Sequence[str], targets: Sequence[str]) -> tuple[Target, ...]:
    if not formats and not targets:
        targets = run.budget().targets
    return chosen(formats, targets, ("onnx",) if is_float(run) else run.profile().default_formats)


def _require_sources(wanted: Sequence[Target], what: str) -> None:
    if all(target.name != "firmware" for target in wanted):
        raise InputError(f"{what}, and none are exported; add `--format c`")


def export_run(
    run: RunFolder,
    formats: Sequence[str],
    targets: Sequence[str] = (),
    integrations: Sequence[str] = (),
    *,
    prefix: str | None = None,
    schedule: str | None = None,
    progress: Progress,
) -> list[Path]:
    """Write ``run``'s network for what ``exporters.base.chosen`` says of ``formats`` and ``targets`` (without
    either, what its budget is held on) and return the artifacts' paths.

    The C form of a Cortex-M profile is also linked into ``firmware.elf`` and ``firmware.bin``, and its sources are
    made ready for the builds of ``integrations``, besides those that the profile names; ``prefix`` names its symbols
    and files instead of ``net``, and by the ``schedule`` "steps" it takes streams. The artifacts of an earlier export
    are replaced together, and only when everything has gone well.

    Raises ``InputError`` if the run has no trained network, a format or target is unknown or the folder cannot be
    written, ``OverBudgetError`` if the image does not link into the board's regions, ``ToolMissingError`` if
    there is no compiler.

    A network of the ``snasnet`` space is written as ``model_float.onnx`` alone, and run against torch at once:
    ``OutputsDifferError`` if logits differ, ``OverBudgetError`` if the file is too large.
    """
    profile, wanted = run.profile(), _wanted(run, formats, targets)
    if integrations:
        _require_sources(wanted, f"an integration ({', '.join(integrations):.60}) is made of C sources")
    if prefix is not None:
        _require_sources(wanted, f"a prefix ({prefix:.40}) names the symbols of C sources")
    if schedule is not None:
        _require_sources(wanted, f"a schedule ({schedule:.40}) is that of C sources")
    order = schedules.schedule(schedule or schedules.DEFAULT_SCHEDULE, "--schedule")
    if is_float(run):
        return _export_float(run, wanted, progress)
    if not run.model.is_file():
        raise untrained(run)
    graph = load_graph(run.path)
    require_valid(graph, str(run.model), weights=True)
    staged = _staging(run)
    try:
        written = []
        for target in wanted:
            progress(f"exporting {target.format} for {target.name}")
            if target.name == "firmware":
                written += export_c(
                    graph,
                    profile,
                    staged,
                    prefix=prefix or DEFAULT_PREFIX,
                    wanted=integrations,
                    events=_events(run, graph, progress) if order == "layers" else None,
                    schedule=order,
                )
                if order == "steps":
                    limit = stream_limit(graph)
                    progress(f"a stream may have {limit.steps} time steps until its reset: {limit.why}")
                for made in chosen_integrations((*profile.integrations, *integrations))[len(ALWAYS) :]:
                    progress(f"{made.title}: {made.use.replace('`', '')}")
            else:
                written += exporter(target.name).export(graph, profile, staged)
        if any(target.name == "firmware" for target in wanted) and profile.core in CORES:
            progress(f"linking firmware for {profile.name}")
            firmware = build(staged / "c", profile)
            written += [firmware.elf, firmware.binary]
        staged.chmod(0o755)
        _replace(run.artifacts, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    run.forget_verdict()
    names = [target.name for target in wanted]
    if "tensorrt" in names:
        for note in tensorrt.notes(profile):
            progress(note)
    facts = {"graph_sha256": graph.sha256(), "profile": profile.name, "targets": names}
    if "firmware" in names:
        facts |= {"prefix": prefix or DEFAULT_PREFIX, "schedule": order}
    run.write_manifest(facts)
    return [run.artifacts / path.relative_to(staged) for path in written]


def _events(run: RunFolder, graph: Graph, progress: Progress) -> dict[str, LayerEvents] | None:
    """What some training images of ``run`` make the layers' lists hold; None, which is said, without such images."""
    try:
        images = run.dataset().train.images
    except (InputError, ToolMissingError) as error:
        reason = str(error)
    else:
        if len(images) and images.shape[1:] == graph.input.extents:
            progress("counting spikes, by which each layer's kernel is chosen")
            return calibrated(graph, images)
        reason = f"the images are {list(images.shape[1:])}, and the network's {list(graph.input.extents)}"
    progress(f"no images to count spikes on, so layers get the kernel that is usually best: {reason}")
    return None


def is_float(run: RunFolder) -> bool:
    """Whether ``run``'s network is of the ``snasnet`` space, which has no integers to verify."""
    found = read_json(run.architecture) if run.architecture.is_file() else None
    return isinstance(found, dict) and found.get("space") == SPACE


def _export_float(run: RunFolder, targets: Sequence[Target], progress: Progress) -> list[Path]:
    from exporters.onnx import snasnet
    from toolchain.training.float_run import trained_network
    from toolchain.verification.float_network import compare_float

    other = next((target for target in targets if target.name != "cpu"), None)
    if other is not None:
        raise refuse(f"The export of {other.format} for {other.name}")
    profile, data = run.profile(), run.dataset()
    network = trained_network(run, data)
    staged = _staging(run)
    try:
        progress("exporting onnx")
        path = snasnet.export(network, staged, *runtime_versions(profile))
        found = compare_float(path, network, data.test.images)
        progress(
            f"{found.runtime} against torch, {found.images} images: logits of {found.apart} apart, {found.other_class}"
            " of another class (float sums; integers are not to be had in the snasnet space)"
        )
        line = model_line(path, profile, run.budget())
        if line.over:
            raise OverBudgetError(line.over)
        staged.chmod(0o755)
        _replace(run.artifacts, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    run.forget_verdict()
    comparison = asdict(found)
    run.write_manifest(
        {"profile": profile.name, "targets": ["cpu"], "space": SPACE, "comparison": comparison}
    )
    return [run.artifacts / path.name]


def _staging(run: RunFolder) -> Path:
    try:
        return Path(tempfile.mkdtemp(dir=run.path, prefix=".artifacts."))
    except OSError as error:
        raise InputError(f"cannot write to {run.path}: {error.strerror}; nothing was changed") from error


def _replace(target: Path, staged: Path) -> None:
    """Put ``staged`` in the place of ``target``, whatever that is; it goes only when the new one stands."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".replaced.") as aside:
        before = Path(aside) / target.name
        if os.path.lexists(target):
            target.rename(before)
        try:
            staged.rename(target)
        except BaseException:
            if os.path.lexists(before):
                before.rename(target)
            raise


def verify_run(
    run: RunFolder,
    *,
    samples: int | None = None,
    compilers: Sequence[str] = (),
    qemu: bool = False,
    emulate: str | None = None,
    on_board: Callable[[Bench], None] | None = None,
    on_linux: Callable[[Bench], None] | None = None,
    progress: Progress,
) -> Verdict:
    """Verify ``run``'s artifacts on its own test images, for its own profile and budget; see ``verify``.

    Raises ``InputError`` for networks of the ``snasnet`` space, which have no integers to compare.
    """
    if is_float(run):
        raise InputError(
            f"{run.path} has a float network of the snasnet space, which has no integers to verify; `export` compares"
            " it with torch, and `check` holds its file against the budget"
        )
    test = run.dataset().test
    return verify(
        run.path,
        run.profile(),
        test.images,
        test.targets,
        samples=samples,
        compilers=compilers,
        qemu=qemu,
        emulate=emulate,
        limits=run.budget(),
        on_board=on_board,
        on_linux=on_linux,
        progress=progress,
    )
