"""The documents of ``search`` as text for a terminal."""

from __future__ import annotations

from typing import Any

from toolchain.cli.console import kib, print_table, printable
from toolchain.measures import MEASURES, Measure

Document = dict[str, Any]
UNITS = {"latency": "ms", "pace": "ms", "energy": "mJ", "operations": "operations"}
"""Limits that are no sizes."""

NOT_TIMED = (
    "note: this board was never timed, so its latency and energy are estimates at the slow end of their range;"
    " verify and check warn of them and fail by neither"
)
NO_PACE = "note: no size answers 30 times a second on this board (estimate), so the fastest was taken"


def show_result(document: Document) -> None:
    """Print what a search found, how it chose, what the network takes, and what to do next."""
    found = document["candidates"]
    print(
        f"{found['space']:,} networks in the space; dropped before any forward pass: {_dropped(found['dropped'])};"
        f" cells scored: {found['scored']:,}; networks trained: {found['trained']}; {document['seconds']:.1f} s"
    )
    if document["cells"]:
        columns = (
            "position",
            "cell",
            "",
            "SAHD 2022-01>",
            "SAHD 2022-07>",
            "Hamming>",
            "deviation>",
            "path>",
        )
        print_table(columns, map(_cell, document["cells"]), "Scores without training")
    show_front(document)
    _show_network(document)
    training = document.get("training")
    if training is not None:
        measure = of_document(document)
        integer, real = training[f"test_{measure.name}"], training[f"float_test_{measure.name}"]
        print(
            f"test {measure.title} (measured on {training['test_images']:,} images):"
            + ("" if integer is None else f" {measure.text(integer)} in integers,")
            + f" {measure.text(real)} in float"
        )
    verb = "train" if training is None else "export"
    print(printable(f"run {document['run']}; next: spikenas-deploy {verb} {document['run']}"))


def show_front(document: Document) -> None:
    """Print all candidates that were trained, those of the Pareto front marked."""
    trained = document["trained"]
    if not trained:
        taken = "with the highest score" if document["algorithm"] == "snasnet" else "that promised most"
        print(f"no candidate was trained: the network {taken} was taken")
        return
    measure = of_document(document)
    names = [name for name in _OBJECTIVES if name in trained[0]]
    columns = (
        "id",
        "",
        f"{measure.title}>",
        "steps>",
        *(f"{_OBJECTIVES[name]}>" for name in names),
        "in the pool as",
        "network",
    )
    rows = [
        (
            each["id"],
            "chosen" if each["chosen"] else "front" if each["front"] else "",
            quality(each, measure),
            f"{each['trainings']} x {each['steps']:,}",
            *(_objective(name, each[name]) for name in names),
            ", ".join(each["roles"]),
            each["architecture"],
        )
        for each in trained
    ]
    images = trained[0]["held_out_images"]
    print_table(
        columns,
        rows,
        f"Short trainings, {measure.title} in integers on {images:,} held-out images (measured)",
    )


def show_plan(document: Document) -> None:
    """Print what a search would find room for."""
    sizes = document["sizes"]
    print(f"{sizes['fit']:,} of {sizes['space']:,} sizes fit; dropped: {_dropped(sizes['dropped'])}")
    rows = [
        (
            position["position"] + 1,
            f"{position['fit']:,} of {position['space']:,}",
            _dropped(position["dropped"]),
        )
        for position in document["positions"]
    ]
    print_table(("position", "cells that fit", "dropped"), rows, "Room for cells at the most promising size")
    _show_network(document)
    if document["next_larger"]:
        larger = document["next_larger"]
        print(f"binding: {', '.join(document['binding'])}; with more channels: {larger['architecture']}")
    else:
        print("binding: nothing; the widest network of the space fits")


_OBJECTIVES = {
    "flash_bytes": "flash",
    "sram_bytes": "SRAM",
    "artifact_bytes": "artifact",
    "latency_ms": "latency",
    "operations": "operations",
}
"""What is compared beside the quality, and what it is called; sizes and latency estimated, operations effective."""


def _objective(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return kib(int(value))
    return f"{value:.1f} ms" if name == "latency_ms" else f"{value / 1e6:,.2f} M"


def of_document(document: Document) -> Measure:
    """What a document's qualities are; documents of before there were numbers have classes."""
    return MEASURES[document.get("task", "classification")]


def quality(each: Document, measure: Measure) -> str:
    """A network's mean quality over its trainings, and their deviation."""
    spread = "" if each["deviation"] is None else f" ±{measure.spread(each['deviation'])}"
    return measure.text(each[measure.name]) + spread


def _show_network(document: Document) -> None:
    rows = [
        (line["limit"], *(_amount(line["limit"], line[key]) for key in ("used", "available", "headroom")))
        for line in document["budget"]
    ]
    print_table(
        ("limit", "used (estimated)>", "available>", "headroom>"), rows, "Footprint against the budget"
    )
    print(f"network: {document['architecture']}")
    if not document["keeps_pace"]:
        print(NO_PACE)
    if not document["timed"] and {"latency", "energy"} & {line["limit"] for line in document["budget"]}:
        print(NOT_TIMED)
    if document["demonstration"]:
        print("a demonstration on the built-in digits, not a deployable model; give --data for your own")


def _cell(cell: Document) -> tuple[object, ...]:
    scores = [cell["scores"][name] for name in ("sahd_2022_01", "sahd_2022_07", "hamming")]
    return (
        cell["position"] + 1,
        cell["cell"],
        ", ".join(cell["roles"]),
        *(_score(value) for value in (*scores, cell["deviation"])),
        cell["longest_path"],
    )


def _dropped(limits: dict[str, int]) -> str:
    return ", ".join(f"{count:,} over {limit}" for limit, count in limits.items()) or "none"


def _score(value: float | None) -> str:
    return "-inf" if value is None else f"{value:.2f}"


def _amount(limit: str, value: float) -> str:
    unit = UNITS.get(limit)
    if unit is None:
        return kib(int(value))
    return f"{value:,.0f}" if unit == "operations" else f"{value:,.1f} {unit}"
