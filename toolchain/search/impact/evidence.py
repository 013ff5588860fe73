"""An analysis as a table of ``toolchain/search/operation_sets.toml``: what the default operations rest on."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import tomli_w

from toolchain.runs import RunFolder
from toolchain.search.impact.run import impact_found
from toolchain.search.operation_sets import CLASSES
from toolchain.search.settings import OPERATIONS

DIGITS = 4
"""Decimals of an accuracy: a hundredth of a point."""

HEADER = """\
# The operations that a search gives cells by default, by class of board: 0 zeroize, 1 skip, 2 conv1x1, 3 conv3x3,
# 4 avgpool3x3. Where an analysis (search --analyze-operations) saw that an operation can go without a cost in
# accuracy beyond the noise, in memory or in synaptic operations, it is left out; without evidence all stay.
# Written by: python -m toolchain.search.impact.evidence CLASS=RUN...

"""


def evidence(document: dict[str, Any], date: str) -> dict[str, Any]:
    """The figures of ``document`` (``toolchain.search.impact.document``) that decide, measured on ``date``."""
    networks = {each["id"]: each for each in document["networks"]}
    full = networks[document["sets"][0]["best"]]
    return {
        "board": document["profile"],
        "data": document["data"]["name"],
        "data_sha256": document["data"]["sha256"],
        "date": date,
        "images_seen": document["images_seen"],
        "steps": document["steps"],
        "seeds": len(document["seeds"]),
        "held_out_images": document["held_out_images"],
        "deviation": round(document["deviation"], DIGITS + 1),
        "accuracy": round(full["accuracy"], DIGITS),
        "accuracy_deviation": round(full["deviation"], DIGITS),
        "network": full["architecture"],
        "networks_trained": len(networks),
        "operations": document["default"],
        "without": [_removed(each, networks) for each in document["sets"][1:]],
    }


def _removed(each: dict[str, Any], networks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    known = {"removed": each["removed"], "cells": each["cells"], "verdict": each["verdict"]}
    if each["best"] is None:
        return known
    best = networks[each["best"]]
    return known | {
        "accuracy": round(best["accuracy"], DIGITS),
        "accuracy_deviation": round(best["deviation"], DIGITS),
        "difference": round(each["difference"], DIGITS),
        "standard_error": round(each["standard_error"], DIGITS),
        "network": best["architecture"],
        "more_bytes": each["more_bytes"],
        "more_operations": each["more_operations"],
    }


def operation_sets(analyses: dict[str, list[dict[str, Any]]], date: str) -> dict[str, Any]:
    """All of ``operation_sets.toml`` from the documents of each class of board; a class without any keeps all.

    An operation goes where every analysis of the class let it go.
    """
    found: dict[str, Any] = {}
    for name, documents in analyses.items():
        kept = {digit for each in documents for digit in each["default"]}
        operations = "".join(sorted(kept)) or OPERATIONS
        found[name] = {"operations": operations, "evidence": [evidence(each, date) for each in documents]}
    return found


def main(arguments: list[str]) -> None:
    """Print ``operation_sets.toml`` for arguments such as ``microcontroller=RUN``, run folders of analyses."""
    analyses: dict[str, list[dict[str, Any]]] = {name: [] for name in CLASSES}
    for name, _, folder in (argument.partition("=") for argument in arguments):
        analyses[name].append(impact_found(RunFolder(Path(folder))))
    print(HEADER + tomli_w.dumps(operation_sets(analyses, datetime.now(timezone.utc).date().isoformat())))


if __name__ == "__main__":
    main(sys.argv[1:])
