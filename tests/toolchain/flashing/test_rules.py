"""What must be true of a run before it is flashed: each rule is broken once, and says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.toolchain.cli.test_verify import network
from tests.toolchain.flashing.conftest import RunOf
from toolchain.errors import InputError, OutputsDifferError, OverBudgetError, SpikenasError
from toolchain.flashing.rules import RULES, Evidence, require_all
from toolchain.graph.storage import save_graph
from toolchain.runs import RunFolder

Broken = tuple[str, Callable[[RunFolder], None], type[SpikenasError], str]


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def failed(cause: str) -> Callable[[RunFolder], None]:
    failure = {"cause": cause, "message": "too bad"}
    return lambda run: edit(run.report, lambda verdict: verdict.update(passed=False, failures=[failure]))


def other_network(run: RunFolder) -> None:
    graph = network()
    graph.head.bias[0] += 1  # type: ignore[index]
    save_graph(graph, run.path)


def trained_again(run: RunFolder) -> None:
    other_network(run)
    run.forget_verdict()


def flipped(name: str) -> Callable[[RunFolder], None]:
    def flip(run: RunFolder) -> None:
        content = bytearray((run.artifacts / name).read_bytes())
        content[100] ^= 1
        (run.artifacts / name).write_bytes(content)

    return flip


def linked(run: RunFolder) -> None:
    """The same bytes, but elsewhere: what they are may change between the look and the flash."""
    target = run.path / "elsewhere.elf"
    shutil.move(run.artifacts / "firmware.elf", target)
    (run.artifacts / "firmware.elf").symlink_to(target)


BROKEN: list[Broken] = [
    (
        "verdict_is_there",
        lambda run: run.report.unlink(),
        InputError,
        "never verified; run `spikenas-deploy verify",
    ),
    ("verdict_is_there", trained_again, InputError, "holds now; run `spikenas-deploy export"),
    ("verdict_is_passed", failed("differs"), OutputsDifferError, "failed its verification.*too bad"),
    ("verdict_is_passed", failed("plan"), OutputsDifferError, "failed its verification"),
    ("verdict_is_passed", failed("over_budget"), OverBudgetError, "failed its verification"),
    ("verdict_is_passed", failed("broken"), InputError, "failed its verification"),
    (
        "verdict_is_passed",
        lambda run: edit(run.report, lambda verdict: verdict.update(passed=False)),
        InputError,
        "does not say that anything passed",
    ),
    (
        "verdict_is_passed",
        lambda run: edit(run.report, lambda verdict: verdict.update(comparisons=[])),
        InputError,
        "does not say that anything passed",
    ),
    ("verdict_is_passed", lambda run: run.report.write_text("{}"), InputError, "schema"),
    ("verdict_is_passed", lambda run: run.report.write_text("[1, 2"), InputError, "not valid JSON"),
    (
        "verdict_is_for_this_board",
        lambda run: edit(run.profile_file, lambda profile: profile.update(stack_bytes=4096)),
        InputError,
        "as its profile was then",
    ),
    (
        "verdict_is_for_this_board",
        lambda run: edit(run.report, lambda verdict: verdict.update(profile="stm32h743")),
        InputError,
        "a verdict for 'stm32h743'",
    ),
    ("verdict_is_for_this_network", other_network, InputError, "for another network"),
    ("artifacts_are_those_verified", flipped("firmware.elf"), InputError, "not what was verified"),
    (
        "artifacts_are_those_verified",
        lambda run: (run.artifacts / "firmware.elf").unlink(),
        InputError,
        "has no 'firmware.elf', which was verified",
    ),
    ("artifacts_are_those_verified", linked, InputError, "has no 'firmware.elf'"),
    ("artifacts_are_those_exported", flipped("firmware.bin"), InputError, "not what was exported"),
    ("artifacts_are_those_exported", flipped("c/net.c"), InputError, "not what was exported"),
    (
        "artifacts_are_those_exported",
        lambda run: (run.artifacts / "model.onnx").write_bytes(b"x"),
        InputError,
        "was not exported with this run",
    ),
    (
        "artifacts_are_those_exported",
        lambda run: edit(run.manifest, lambda manifest: manifest.update(artifacts={"a": 1})),
        InputError,
        "lists no artifacts",
    ),
]


def test_a_verified_run_keeps_every_rule(run_of: RunOf) -> None:
    require_all(Evidence(run_of("stm32f405")))


@pytest.mark.parametrize(("rule", "harm", "error", "sentence"), BROKEN)
def test_a_broken_rule_is_told(
    run_of: RunOf, rule: str, harm: Callable[[RunFolder], None], error: type[SpikenasError], sentence: str
) -> None:
    run = run_of("stm32f405")
    harm(run)
    kept = [each for each in RULES if each.__name__ != rule]
    before = RULES[: [each.__name__ for each in RULES].index(rule)]
    assert len(kept) == len(RULES) - 1
    for each in before:
        each(Evidence(run))
    with pytest.raises(error, match=sentence):
        require_all(Evidence(run))


def test_every_rule_is_broken_here() -> None:
    assert {rule for rule, *_ in BROKEN} == {rule.__name__ for rule in RULES}


def test_a_name_in_the_verdict_is_no_path(run_of: RunOf, tmp_path: Path) -> None:
    run, outside = run_of("stm32f405"), tmp_path / "outside"
    outside.write_bytes(np.zeros(4).tobytes())
    entry = {"name": f"../../../{outside.name}", "size_bytes": 32, "sha256": "0" * 64}
    edit(run.report, lambda verdict: verdict["artifacts"].append(entry))
    with pytest.raises(InputError, match="has no '../../../outside'"):
        require_all(Evidence(run))
