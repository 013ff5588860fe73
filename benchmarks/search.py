"""Measure how much sooner a search that shares prefixes ends than SNASNet's, in the same space, in one go.

    python benchmarks/search.py            about 7 minutes on two cores
    python benchmarks/search.py --quick    about 2: fewer candidates, one position instead of two, said in the output
    python benchmarks/search.py --json     one JSON document
    python benchmarks/search.py --data cifar10/train    real images, resized to 32x32; default: smoothed noise

Both sides search the ``snasnet`` space at the width published for CIFAR-100: neurons on edges, C = 128, T = 5.

- theirs, the procedure of Kim et al. (ECCV 2022): 5,000 random cells, each used at both positions of a fresh
  network, scored over two batches of 256 images. A few candidates drawn as they are drawn there are timed; the rest
  is extrapolated.
- ours: all distinct cells (7,556; 7,012 with nodes 1 and 2 interchanged counted once) at the first position, behind
  the stem, then, with the best one fixed, all at the second; weights are shared per edge and operation. Timed in
  full, over one batch of 32 images.

Both run in the same processes, in the same environment, on all cores: theirs in threads of one, ours with a
share of the cells in each. Sides take turns. Time to start processes and to load
libraries counts for neither. Seconds of the clock are compared unless other work is on the machine (a load
average above the cores' number and a half); then it is seconds of the processor.

``seconds`` is what ours takes to a choice, by the clock. ``per_candidate_speedup`` compares one position at equal
images, neurons and score on one core: a fresh cell in torch, as theirs are computed, with our seconds divided by
the cells they score. ``sharing_speedup`` compares with fresh weights for each cell in our own compiled scorer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks._sides import SEED, SKIP, Extent, Took, fresh, ours, prepare, theirs, timed
from toolchain.architecture.cells import distinct_cells
from toolchain.errors import SpikenasError
from toolchain.graph.nodes import Shape
from toolchain.search.executors.environment import KEPT_MEMORY
from toolchain.search.scoring.prefixes import by_prefix
from toolchain.search.snasnet import CANDIDATES
from toolchain.search.snasnet.draw import draw
from toolchain.search.snasnet.jobs import REPEATS

ENVIRONMENT = {**KEPT_MEMORY, "OMP_WAIT_POLICY": "PASSIVE"}
"""Of both sides. Threads that wait must not count as work, or theirs would take a quarter more of the processor."""

PREFIX_COST = 70
"""Cells whose scores take as long as a map at node 2 and its convolutions."""

QUICK = Extent(repeats=1, candidates=2, positions=1, fresh=4, seeds=1)


def shares(count: int) -> list[list[str]]:
    """All distinct cells in ``count`` parts that take about as long, cells with the same prefix together."""
    cells, parts = distinct_cells(), [[] for _ in range(count)]  # type: ignore[var-annotated]
    groups = [(len(group) + PREFIX_COST, group) for group in by_prefix(cells).values()]
    whole, done = sum(cost for cost, _ in groups), 0.0
    for cost, group in groups:
        parts[int((done + cost / 2) * count / whole)] += [str(cells[index]) for index in group]
        done += cost
    return parts


def tau(one: dict[str, float], other: dict[str, float]) -> float:
    """Kendall's tau b of the scores of the same cells."""
    ranks = [
        np.unique([scores[cell] for cell in one], return_inverse=True)[1].astype(np.int64)
        for scores in (one, other)
    ]
    both, alone = 0, [0, 0]
    for index in range(len(one) - 1):
        signs = [np.sign(rank[index + 1 :] - rank[index]) for rank in ranks]
        both += int((signs[0] * signs[1]).sum())
        alone = [total + int(np.abs(sign).sum()) for total, sign in zip(alone, signs, strict=True)]
    return both / float(np.sqrt(float(alone[0]) * alone[1]))


def measure(extent: Extent, pool: Executor, cores: int) -> dict[str, Any]:
    """Both sides by turns; ``pool`` runs ``cores`` tasks at once."""
    began, rng = time.monotonic(), np.random.default_rng(SEED)
    load = [_load()]
    published: list[Took] = []
    drawn = [str(draw(rng)) for _ in range(extent.candidates)]
    turns = np.array_split(np.arange(extent.candidates), extent.positions + 1)

    def turn(number: int) -> None:
        for index in turns[number]:
            took = pool.submit(timed, cores, theirs, extent, drawn[index], int(index)).result()
            published.append(_together([took]))
        load.append(_load())

    def position(fixed: list[str], seed: int) -> Took:
        tasks = [pool.submit(timed, 1, ours, extent, fixed, seed, part) for part in shares(cores)]
        scores = [task.result() for task in tasks]
        load.append(_load())
        values = [value for took in scores for value in took["value"]]
        return _together(scores) | {"scores": dict(zip(sum(shares(cores), []), values, strict=True))}

    ready = [pool.submit(prepare, extent) for _ in range(cores)]
    images = [task.result() for task in ready][0]
    turn(0)
    found: list[Took] = []
    chosen: list[str] = []
    for number in range(extent.positions):
        found.append(position(chosen, SEED))
        scores = found[-1]["scores"]
        chosen.append(max(scores, key=lambda cell: (scores[cell], cell)))
        turn(number + 1)
    others = [position([], seed) for seed in range(SEED + 1, SEED + extent.seeds)]
    sample = [str(distinct_cells()[int(i)]) for i in rng.choice(len(distinct_cells()), extent.fresh, False)]
    alone = [
        pool.submit(timed, 1, fresh, extent, sample, code).result()["value"]["mean"] for code in (False, True)
    ]

    shared = found[0]["cpu"] / len(found[0]["scores"])
    each = {key: fmean(took[key] for took in published) * REPEATS / extent.repeats for key in ("wall", "cpu")}
    total = {key: sum(took[key] for took in found) * 2 / extent.positions for key in ("wall", "cpu")}
    basis = "cpu" if max(load) > cores + 0.5 else "wall"
    cells, network = 2 * len(distinct_cells()), extent.architecture(SKIP, SKIP)
    maps = network.maps(Shape(3, extent.side, extent.side))
    pictures = extent.batch * REPEATS / extent.our_batch  # theirs for one of ours
    return {
        "space": "snasnet",
        "channels": extent.channels,
        "time_steps": network.time_steps,
        "images": images,
        "cores": cores,
        "load_average": max(load),
        "compared": "seconds of the processor" if basis == "cpu" else "seconds of the clock",
        "snasnet": {
            "candidates": CANDIDATES,
            "timed": len(published),
            "repeats_timed": extent.repeats,
            "batch": extent.batch,
            "repeats": REPEATS,
            "neurons": [maps.first.size, maps.second.size, network.width],
            "lif_placement": "edge",
            "processes": 1,
            "threads": cores,
            "seconds_per_candidate": each["wall"],
            "cpu_seconds_per_candidate": each["cpu"],
            "seconds": each["wall"] * CANDIDATES,
            "cpu_seconds": each["cpu"] * CANDIDATES,
        },
        "ours": {
            "candidates": cells,
            "positions_timed": extent.positions,
            "batch": extent.our_batch,
            "repeats": 1,
            "neurons": [maps.first.size, maps.second.size],
            "lif_placement": "edge",
            "processes": cores,
            "threads": 1,
            "seconds": total["wall"],
            "cpu_seconds": total["cpu"],
            "chosen": chosen,
        },
        "speedup_vs_snasnet": each[basis] * CANDIDATES / total[basis],
        "per_candidate_and_image_speedup": each[basis] / pictures / (total[basis] / cells),
        "images_of_theirs_for_one_of_ours": pictures,
        "per_candidate_speedup": alone[0] / shared,
        "sharing_speedup": alone[1] / shared,
        "fresh_cpu_seconds": {
            "torch": alone[0],
            "our_scorer": alone[1],
            "shared": shared,
            "timed": len(sample),
        },
        "kendall_tau": fmean(tau(found[0]["scores"], other["scores"]) for other in others)
        if others
        else None,
        "four_seeds_seconds": 4 * total["wall"],
        "seconds": total["wall"],
        "benchmark_seconds": time.monotonic() - began,
    }


def main(arguments: list[str]) -> int:
    """Measure, and print sentences or JSON."""
    parser = argparse.ArgumentParser(prog="python benchmarks/search.py", description="Compare two searches.")
    parser.add_argument("--quick", action="store_true", help="two candidates and one position")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--data", help="images to score with (default: smoothed noise)")
    given = parser.parse_args(arguments)
    os.environ.update(ENVIRONMENT)  # read when the other processes start
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    extent = replace(QUICK if given.quick else Extent(), data=given.data)
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        found = measure(extent, pool, cores)
    print(json.dumps(found, indent=2) if given.json else _sentences(found))
    return 0


def _together(parts: list[Took]) -> Took:
    """Seconds of the clock from the first start to the last end, and of the processor in all."""
    wall = max(part["end"] for part in parts) - min(part["start"] for part in parts)
    return {"wall": wall, "cpu": sum(part["cpu"] for part in parts)}


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _sentences(found: dict[str, Any]) -> str:
    theirs_, ours_ = found["snasnet"], found["ours"]
    alone = found["fresh_cpu_seconds"]

    def side(name: str, of: dict[str, Any]) -> str:
        neurons = ", ".join(f"{count:,}" for count in of["neurons"])
        return (
            f"{name}: {of['candidates']:,} candidates, batch {of['batch']}, {of['repeats']} repeat(s),"
            f" all neurons of each LIF layer ({neurons}), neurons on {of['lif_placement']}s,"
            f" {of['processes']} process(es) of {of['threads']} thread(s);"
        )

    lines = [
        f"snasnet space, C = {found['channels']}, T = {found['time_steps']}; images: {found['images']};"
        f" load average up to {found['load_average']:.1f}, so {found['compared']} are compared",
        f"{side('SNASNet', theirs_)} {theirs_['seconds_per_candidate']:.1f} s a candidate"
        f" ({theirs_['cpu_seconds_per_candidate']:.1f} CPU s), mean of {theirs_['timed']} with"
        f" {theirs_['repeats_timed']} repeat(s) timed; extrapolated to all: {theirs_['seconds'] / 3600:.1f} h"
        f" ({theirs_['cpu_seconds'] / 3600:.1f} CPU h)",
        f"{side('Shared prefixes', ours_)} {ours_['seconds']:.1f} s to a choice ({ours_['cpu_seconds']:.1f} CPU s)"
        + (
            ""
            if ours_["positions_timed"] == 2
            else ", twice the first position's, which is all that was timed"
        ),
        f"To a choice {found['speedup_vs_snasnet']:,.0f} times as fast, theirs with"
        f" {found['images_of_theirs_for_one_of_ours']:g} times as many images; a candidate and image"
        f" {found['per_candidate_and_image_speedup']:,.0f} times as fast",
        f"One position, equal images and neurons, a core: {alone['torch']:.2f} CPU s for a fresh cell (mean of"
        f" {alone['timed']}), {alone['shared'] * 1000:.1f} ms shared: {found['per_candidate_speedup']:,.0f} times as"
        f" fast; sharing alone (fresh cells in the same compiled scorer, {alone['our_scorer']:.2f} CPU s):"
        f" {found['sharing_speedup']:,.0f} times",
        f"Four weight seeds take {found['four_seeds_seconds']:.0f} s"
        + (f"; Kendall's tau of two: {found['kendall_tau']:.2f}" if found["kendall_tau"] is not None else ""),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SpikenasError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
