"""The figures of ``benchmarks/firmware.py`` as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def as_text(document: dict[str, Any], layers: bool) -> str:
    """All tables; ``layers``: with a line for each layer."""
    lines = [f"{document['compiler']}; instructions of an image, emulated; bytes of the linked image"]
    for each in document["networks"]:
        lines.append(f"\n{each['network']}, test accuracy {each['test_accuracy']:.2%}")
        lines += [f"  dense at {t['width']:g} of the width: {t['test_accuracy']:.2%}" for t in each["tried"]]
        lines.append(
            f"  {'':<38}{'instructions':>14}{'with waits':>12}{'flash':>9}{'SRAM':>8}{'code':>7}{'stack':>7}"
        )
        for row in each["cores"]:
            lines += _core_lines(row, each["equal_accuracy_width"])
            if layers:
                lines += _layer_lines(row["layers"])
    for curve in document["curves"]:
        lines += _curve_lines(curve)
    return "\n".join(lines) + "\n"


def _curve_lines(curve: dict[str, Any]) -> Iterator[str]:
    yield f"\n{curve['network']} in fewer time steps and trained to save spikes (--spike-rate), on {curve['core']}"
    yield (
        f"  {'steps':>5}{'aimed at':>10}{'accuracy':>10}{'synaptic ops':>14}{'instructions':>14}{'/ same shape':>14}"
        f"{'/ same accuracy':>17}{'its width':>11}"
    )
    for row in curve["rows"]:
        aim = "" if row["spike_rate"] is None else f"{row['spike_rate']:g}"
        yield (
            f"  {row['time_steps']:>5}{aim:>10}{row['test_accuracy']:>10.2%}"
            f"{row['synaptic_operations']:>14,}{row['instructions']:>14,}"
            f"{row['instructions_vs_dense_int8']:>14}{row['instructions_vs_equal_accuracy_cnn']:>17}"
            f"{row['equal_accuracy_width']:>11g}"
        )


def _core_lines(row: dict[str, Any], width: float | None) -> Iterator[str]:
    sides = {"spiking": "spiking", "dense_int8": "dense, same shape"}
    if width is not None:
        sides["equal_accuracy_cnn"] = f"dense, {width:g} of it"
    for key, title in sides.items():
        sizes = row[key]
        yield (
            f"  {row['core'] if key == 'spiking' else '':<14} {title:<23}{sizes['instructions']:>14,}"
            f"{sizes['weighted']:>12,}{sizes['flash_bytes']:>9,}{sizes['sram_bytes']:>8,}"
            f"{sizes['code_bytes']:>7,}{sizes['stack_bytes']:>7,}"
        )
        if key != "spiking":
            yield (
                f"  {'':<14} {'  spiking / dense':<23}{row[f'instructions_vs_{key}']:>14}"
                f"{row[f'weighted_vs_{key}']:>12}{row[f'flash_vs_{key}']:>9}{row[f'sram_vs_{key}']:>8}"
            )


def _layer_lines(layers: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        f"    {'layer':<14}{'density':>8}{'synaptic ops':>14}{'instructions':>14}{'an op':>7}{'MACs':>12}"
        f"{'dense':>12}{'a MAC':>7}{'ratio':>7}{'lines':>9}{'dense':>9}"
    )
    for layer in layers:
        ours, theirs = layer["instructions"], layer["dense_instructions"]
        operations, macs = layer["synaptic_operations"], layer["macs"]
        density = "" if layer["density"] is None else f"{layer['density']:.1%}"
        yield (
            f"    {layer['layer']:<14}{density:>8}{operations:>14,}{ours:>14,}"
            f"{ours / operations if operations else 0:>7.2f}{macs:>12,}{theirs:>12,}"
            f"{theirs / macs if macs else 0:>7.2f}{ours / theirs:>7.2f}"
            f"{layer['flash_lines']:>9,}{layer['dense_flash_lines']:>9,}"
        )
