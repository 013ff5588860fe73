"""``docs/firmware-speed.md``, written from what ``benchmarks/firmware.py`` measures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

INTRODUCTION = """\
# How fast the firmware is, beside dense networks

Written by `python -m benchmarks.firmware --page`, which measures all of it in one run: instructions of an image,
**emulated**, averaged over test images, and bytes of the linked image. Weights are trained ones, because what a spiking
network executes depends on its spikes.

Rivals are dense 8-bit networks: a convolution with ReLU for every layer of spiking neurons, no time steps, batch
normalization folded, a scale for each output channel. Their hot loops are hand-written assembly; on cores with the DSP
extension 58 instructions for 64 products. Both sides have the same compiler, flags, planner of buffers and
mailbox, and give the scores of their references, integer by integer.

- **Same shape**: the dense network with the same layers and channels.
- **Same accuracy**: the narrowest dense network that is as accurate on the test images, less one standard error, by
  the same recipe on the same images. That is what one would run instead of ours.

A ratio is ours divided by the rival's: below 1 ours needs less. *With waits* adds five wait states for each line of
16 bytes that weights and tables are fetched from flash in, behind a data cache of eight lines, as an STM32F405 has it
at 168 MHz. Instructions are no cycles: no pipeline, no dual issue (Cortex-M7), and an M0+ may take 1 or 32 cycles
for a product, of which the dense network has many and ours next to none. SRAM is arena, mailbox and the stack that
was used. A Cortex-M55 is not measured: unicorn has none.

What decides is time steps times the share of neurons that fire: so many weights ours adds for each product of the
dense network of the same shape, one spike in one step a weight. Layers of few channels and the one that reads pixels
gain least. A dense network also needs fewer channels for the same accuracy, which is why the second rival is the
harder one. Where it is 0.25 of the channels, the least that is tried, a still narrower one might do.
"""

FEWER = """\
## Fewer time steps, fewer spikes

The same networks in fewer time steps, and trained with `--spike-rate` at less and less of the dense synaptic
operations. The dense network of the same accuracy is chosen anew for each row: what a row loses in accuracy makes its
rival narrower.
"""

RIVALS = {"dense_int8": "same shape", "equal_accuracy_cnn": "same accuracy"}


def as_page(document: dict[str, Any]) -> str:
    """The whole page."""
    parts = [INTRODUCTION, _summary(document["networks"]), f"Compiler: {document['compiler']}."]
    for each in document["networks"]:
        parts.append("\n".join(_network(each)))
    if document["curves"]:
        parts.append(FEWER)
        parts += ["\n".join(_curve(each)) for each in document["curves"]]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _summary(networks: list[dict[str, Any]]) -> str:
    rows = [row for each in networks for row in each["cores"]]
    lines = [f"Of {len(rows)} pairs of a network and a core, ours has"]
    for key, title in RIVALS.items():
        for measure, words in (("instructions", "fewer instructions"), ("sram", "less SRAM")):
            less = sum(row[f"{measure}_vs_{key}"] < 1 for row in rows)
            lines.append(f"- {words} than the dense network of the {title} in {less},")
    return "\n".join(lines)[:-1] + "."


def _network(each: dict[str, Any]) -> Iterator[str]:
    yield f"## {each['network']}, {each['test_accuracy']:.2%}\n"
    tried = ", ".join(f"{t['width']:g} of the channels {t['test_accuracy']:.2%}" for t in each["tried"])
    yield f"`{each['line']}`; dense networks: {tried}.\n"
    yield (
        "| core | instructions | same shape | ratio | with waits | same accuracy | ratio | with waits |"
        "\n|---|---|---|---|---|---|---|---|"
    )
    for row in each["cores"]:
        cells = [row["core"], f"{row['spiking']['instructions']:,}"]
        for key in RIVALS:
            cells += [f"{row[key]['instructions']:,}", f"{row[f'instructions_vs_{key}']:.2f}"]
            cells.append(f"{row[f'weighted_vs_{key}']:.2f}")
        yield _row(cells)
    yield (
        "\n| core | flash | same shape | ratio | same accuracy | ratio | SRAM | same shape | ratio | same accuracy |"
        " ratio |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for row in each["cores"]:
        cells = [row["core"]]
        for measure in ("flash", "sram"):
            cells.append(f"{row['spiking'][f'{measure}_bytes']:,}")
            for key in RIVALS:
                cells += [f"{row[key][f'{measure}_bytes']:,}", f"{row[f'{measure}_vs_{key}']:.2f}"]
        yield _row(cells)
    first = each["cores"][0]
    yield f"\nLayer by layer on a {first['core']}, beside the same shape:\n"
    yield (
        "| layer | spikes read | synaptic operations | instructions | products | dense instructions | ratio |"
        "\n|---|---|---|---|---|---|---|"
    )
    for layer in first["layers"]:
        yield _row(
            [
                layer["layer"],
                "pixels" if layer["density"] is None else f"{layer['density']:.1%}",
                f"{layer['synaptic_operations']:,}",
                f"{layer['instructions']:,}",
                f"{layer['macs']:,}",
                f"{layer['dense_instructions']:,}",
                f"{layer['instructions'] / layer['dense_instructions']:.2f}",
            ]
        )


def _curve(curve: dict[str, Any]) -> Iterator[str]:
    yield f"{curve['network']} on a {curve['core']}:\n"
    yield (
        "| time steps | spike rate aimed at | test accuracy | synaptic operations | instructions | / same shape "
        "| / same accuracy | its channels |\n|---|---|---|---|---|---|---|---|"
    )
    for row in curve["rows"]:
        yield _row(
            [
                str(row["time_steps"]),
                "none" if row["spike_rate"] is None else f"{row['spike_rate']:g}",
                f"{row['test_accuracy']:.2%}",
                f"{row['synaptic_operations']:,}",
                f"{row['instructions']:,}",
                f"{row['instructions_vs_dense_int8']:.2f}",
                f"{row['instructions_vs_equal_accuracy_cnn']:.2f}",
                f"{row['equal_accuracy_width']:g}",
            ]
        )


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
