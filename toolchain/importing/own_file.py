"""A NIR file that this toolchain wrote: the network comes back with its integers, and nothing is quantized anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toolchain.datasets import Dataset, Subset
from toolchain.errors import InputError
from toolchain.files import write_json
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.importing.run import ImportReport, begun, dataset
from toolchain.profiles.schema import Profile
from toolchain.quality import share_correct
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings
from toolchain.training.progress import Progress
from toolchain.training.train import images_to_compare

NOTE = "the file is this toolchain's own: every integer is the one that was exported, and nothing was quantized anew"


def import_own(
    graph: Graph,
    origin: str,
    profile: Profile,
    settings: RunSettings,
    *,
    out: Path | None,
    progress: Progress,
) -> tuple[RunFolder, ImportReport]:
    """Write ``graph``, read from the file ``origin``, as a run for ``profile`` on the data of ``settings``.

    Nothing is trained, so there is no ``training.json`` and no checkpoint.

    Raises ``InputError`` if the data are not prepared as the network's were, or ``out`` is not free.
    """
    data = dataset(settings, progress)
    _require_fit(graph, data, origin)
    run = begun(out, profile, settings, data, 0)
    save_graph(graph, run.path)
    test = _accuracy(graph, data.test, progress)
    report = ImportReport(
        origin=origin,
        time_steps=graph.time_steps,
        pixels=None,
        epochs=0,
        test_images=min(len(data.test), images_to_compare(graph)),
        original_test_accuracy=None,
        float_test_accuracy=None,
        test_accuracy=test,
        layers=tuple((node.name, "as it was") for node in graph.nodes),
        notes=(NOTE,),
    )
    write_json(run.imported, report.to_dict())
    return run, report


def _require_fit(graph: Graph, data: Dataset, origin: str) -> None:
    wanted, found = graph.preprocessing, data.preprocessing
    if wanted != found:
        raise InputError(
            f"{origin} takes {wanted.channels} images of {wanted.width}x{wanted.height}, and the data are "
            f"{found.channels} of {found.width}x{found.height}; give --size and --channels as it was trained"
        )
    if graph.labels != data.labels:
        raise InputError(
            f"{origin} tells other classes than the data have; give the data that it was trained on"
        )


def _accuracy(graph: Graph, test: Subset, progress: Progress) -> float:
    count = min(len(test), images_to_compare(graph))
    progress(f"computing the reference on {count:,} of {len(test):,} test images")
    return share_correct(
        reference.scores(graph, test.images[:count]), np.asarray(test.targets[:count], np.int64)
    )
