"""An analysis as a table of ``toolchain/search/operation_sets.toml``: what the default operations rest on."""

from __future__ import annotations

from typing import Any

DIGITS = 4
"""Decimals of an accuracy: a hundredth of a point."""


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
    }
