"""The document of ``search --analyze-operations`` as text for a terminal."""

from __future__ import annotations

from typing import Any

from toolchain.cli.console import kib, print_table, printable
from toolchain.cli.search_tables import of_document, quality
from toolchain.measures import Measure

Document = dict[str, Any]

_FIGURES = {
    "flash_bytes": "flash",
    "sram_bytes": "SRAM",
    "artifact_bytes": "artifact",
    "latency_ms": "latency",
    "dense_operations": "dense",
    "effective_operations": "effective",
}
"""What a network takes; sizes, latency and dense synaptic operations estimated, effective ones measured."""


def show_impact(document: Document) -> None:
    """Print what each set of operations reaches, the networks that were trained, and what may go without a cost."""
    networks = {each["id"]: each for each in document["networks"]}
    measure = of_document(document)
    points = " points" if measure.percent else ""
    print(
        f"{len(networks)} networks trained on {document['images_seen']:,} images each ({document['steps']:,} steps)"
        f" from {len(document['seeds'])} seeds; a training scatters by {measure.spread(document['deviation'])}{points};"
        f" {document['seconds']:.1f} s"
    )
    figures = [name for name in _FIGURES if any(name in each for each in networks.values())]
    print_table(
        (
            "operations",
            "cells>",
            f"best {document['score']}>",
            f"{measure.title}>",
            "difference>",
            "",
            *(f"{_FIGURES[name]}>" for name in figures),
            "best network",
            "smallest as good",
            "leanest as good",
        ),
        [_set(each, networks, figures, measure) for each in document["sets"]],
        f"Best of each set, {measure.title} in integers on {document['held_out_images']:,} held-out images (measured)",
    )
    print_table(
        ("id", f"{measure.title}>", *(f"{_FIGURES[name]}>" for name in figures), "kind of cell", "network"),
        [_network(each, figures, measure) for each in networks.values()],
        "All that was trained",
    )
    costless = ", ".join(document["costless"]) or "nothing"
    print(f"may go, all together, at no cost beyond the noise: {costless}")
    if document["demonstration"]:
        print("measured on the built-in digits, a demonstration; give --data for your own")
    print(printable(f"run {document['run']}: impact.json, impact.svg, impact.png"))


def _set(
    each: Document, networks: dict[str, Document], figures: list[str], measure: Measure
) -> tuple[object, ...]:
    score = each["score"] or {"total": None}
    scored = "" if score["total"] is None else f"{score['total']:.2f} ±{score['deviation']:.2f}"
    if each["best"] is None:
        return (
            each["name"],
            f"{each['cells']:,}",
            scored,
            "",
            "",
            each["verdict"],
            *("" for _ in figures),
            "",
        )
    best = networks[each["best"]]
    return (
        each["name"],
        f"{each['cells']:,}",
        scored,
        quality(best, measure),
        _difference(each, measure),
        each["verdict"] if each["removed"] else "",
        *(_figure(name, best[name]) for name in figures),
        best["id"],
        _smallest(networks[each["chosen"]]),
        _leanest(networks[each["leanest"]]),
    )


def _network(each: Document, figures: list[str], measure: Measure) -> tuple[object, ...]:
    return (
        each["id"],
        quality(each, measure),
        *(_figure(name, each[name]) for name in figures),
        ", ".join(each["roles"]),
        each["architecture"],
    )


def _smallest(chosen: Document) -> str:
    size = chosen["flash_bytes"] if "flash_bytes" in chosen else chosen["artifact_bytes"]
    return f"{chosen['id']}, {kib(size)}"


def _leanest(network: Document) -> str:
    return f"{network['id']}, {_figure('effective_operations', network['effective_operations'])}"


def _difference(each: Document, measure: Measure) -> str:
    if not each["removed"]:
        return ""
    if each["standard_error"] == 0:
        return "same network"
    sign = "+" if each["difference"] >= 0 else ""
    return f"{sign}{measure.spread(each['difference'])} ±{measure.spread(each['standard_error'])}"


def _figure(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return kib(int(value))
    return f"{value:.1f} ms" if name == "latency_ms" else f"{value / 1e6:,.2f} M"
