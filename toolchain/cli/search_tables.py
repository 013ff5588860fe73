"""The documents of ``search`` as text for a terminal."""

from __future__ import annotations

from typing import Any

from toolchain.cli.console import kib, print_table, printable

Document = dict[str, Any]
TIMES = ("latency", "pace")

NO_PACE = "note: no size answers 30 times a second on this board (estimate), so the fastest was taken"


def show_result(document: Document) -> None:
    """Print what a search found, how it chose, what the network takes, and what to do next."""
    found = document["candidates"]
    print(
        f"{found['space']:,} cells at {len(document['positions'])} positions; dropped before any forward pass:"
        f" {_dropped(found['dropped'])}; scored: {found['scored']:,}; {document['seconds']:.1f} s"
    )
    rows = [row for position in document["positions"] for row in _candidates(position)]
    columns = ("position", "cell", "", "SAHD 2022-01>", "SAHD 2022-07>", "spread>", "weights>")
    print_table(columns, rows, "Scores without training")
    _show_network(document)
    training = document.get("training")
    if training is not None:
        print(
            f"test accuracy (measured on {training['test_images']:,} images): {training['test_accuracy']:.2%}"
            f" in integers, {training['float_test_accuracy']:.2%} in float"
        )
    verb = "train" if training is None else "export"
    print(printable(f"run {document['run']}; next: spikenas-deploy {verb} {document['run']}"))


def show_plan(document: Document) -> None:
    """Print what a search would find room for."""
    rows = [
        (
            position["position"] + 1,
            f"{position['fit']:,} of {position['space']:,}",
            _dropped(position["dropped"]),
        )
        for position in document["positions"]
    ]
    print_table(("position", "cells that fit", "dropped"), rows, "Room for cells")
    _show_network(document)
    if document["next_larger"]:
        larger = document["next_larger"]
        print(f"binding: {', '.join(document['binding'])}; the next larger size is {larger['architecture']}")
    else:
        print("binding: nothing; the largest size of the space fits")


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
    if document["demonstration"]:
        print("a demonstration on the built-in digits, not a deployable model; give --data for your own")


def _candidates(position: Document) -> list[tuple[object, ...]]:
    chosen = position["chosen"]
    listed = [(chosen, ", ".join(["chosen", *chosen["roles"]]))]
    listed += [
        (reference, ", ".join(reference["roles"]))
        for reference in position["references"]
        if reference["cell"] != chosen["cell"]
    ]
    return [
        (
            position["position"] + 1,
            candidate["cell"],
            what,
            *(_score(candidate["scores"][name]) for name in ("sahd_2022_01", "sahd_2022_07", "spread")),
            f"{candidate['weights']:,}",
        )
        for candidate, what in listed
    ]


def _dropped(limits: dict[str, int]) -> str:
    return ", ".join(f"{count:,} over {limit}" for limit, count in limits.items()) or "none"


def _score(value: float | None) -> str:
    return "-inf" if value is None else f"{value:.2f}"


def _amount(limit: str, value: float) -> str:
    return f"{value:.1f} ms" if limit in TIMES else kib(int(value))
