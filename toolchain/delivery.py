"""From a trained run to its artifacts and their verdict: export, link, put in place at once, verify."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from exporters.base import exporter
from exporters.c import compilers
from exporters.c.build import build
from exporters.c.cores import CORES
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.storage import load_graph
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.verification import emulator, qemu_machine
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify

Progress = Callable[[str], None]


def require_tools(profile: Profile, formats: Sequence[str], *, verify: bool = True) -> None:
    """Make sure that ``export_run`` in ``formats`` (none: the profile's own) finds what it needs.

    With ``verify`` also what ``verify_run`` needs then. Raises ``ToolMissingError`` for a compiler or an
    emulator that is not installed, ``InputError`` for an unknown format.
    """
    names = formats or profile.default_formats
    for name in names:
        exporter(name)
    if "c" not in names or profile.core not in CORES:
        return
    compilers.arm_command(None)
    if verify and profile.emulation is not None:
        if profile.emulation.unicorn_cpu is not None:
            emulator.import_unicorn()
        elif profile.emulation.qemu_machine is not None:
            qemu_machine.program()


def export_run(run: RunFolder, formats: Sequence[str], *, progress: Progress) -> list[Path]:
    """Write ``run``'s network in ``formats`` (none: its profile's own) and return the artifacts' paths.

    The C form of a Cortex-M profile is also linked into ``firmware.elf`` and ``firmware.bin``. The
    artifacts of an earlier export are replaced together, and only when everything has gone well.

    Raises ``InputError`` if the run has no trained network, a format is unknown or the folder cannot be
    written, ``OverBudgetError`` if the image does not link into the board's regions, ``ToolMissingError`` if
    there is no compiler.
    """
    profile = run.profile()
    exporters = {name: exporter(name) for name in dict.fromkeys(formats or profile.default_formats)}
    if not run.model.is_file():
        raise InputError(
            f"{run.path} has no trained network yet; run `spikenas-deploy train {run.path}` first"
        )
    graph = load_graph(run.path)
    require_valid(graph, str(run.model), weights=True)
    try:
        staged = Path(tempfile.mkdtemp(dir=run.path, prefix=".artifacts."))
    except OSError as error:
        raise InputError(f"cannot write to {run.path}: {error.strerror}; nothing was changed") from error
    try:
        written = []
        for name, module in exporters.items():
            progress(f"exporting {name}")
            written += module.export(graph, profile, staged)
        if "c" in exporters and profile.core in CORES:
            progress(f"linking firmware for {profile.name}")
            firmware = build(staged / "c", profile)
            written += [firmware.elf, firmware.binary]
        staged.chmod(0o755)
        _replace(run.artifacts, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    run.report.unlink(missing_ok=True)  # an old verdict speaks of other files
    run.write_manifest({"graph_sha256": graph.sha256(), "profile": profile.name, "formats": list(exporters)})
    return [run.artifacts / path.relative_to(staged) for path in written]


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
    progress: Progress,
) -> Verdict:
    """Verify ``run``'s artifacts on its own test images, for its own profile and budget; see ``verify``."""
    test = run.dataset().test
    return verify(
        run.path,
        run.profile(),
        test.images,
        test.targets,
        samples=samples,
        compilers=compilers,
        qemu=qemu,
        limits=run.budget(),
        progress=progress,
    )
