"""Weights that the start-up code copies: where they are loaded, where they run, and what the image then computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporters.c import export
from exporters.c.build import build
from tests.support.boards import with_copies
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.code_size import COPYING_BYTES, Compiler
from toolchain.cost.layout import layout
from toolchain.graph import reference
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.footprint_proof import findings, proofs
from toolchain.verification.image_map import image_map
from toolchain.verification.network_symbols import NetworkBytes
from toolchain.verification.runtimes.unicorn import UnicornRuntime
from toolchain.verification.stack_bound import stack_bound

GRAPH = random_graph(1)
PLAIN = profiles.load("stm32h743")
BOARD = with_copies(PLAIN, "dtcm", 65_536)
SOME = with_copies(PLAIN, "dtcm", 12_000)


@pytest.fixture(params=["zig", "gcc"])
def compiler(
    request: pytest.FixtureRequest, require_tool: Callable[[str], str], require_package: Callable[[str], None]
) -> Compiler:
    """Each compiler for Arm."""
    require_tool("arm-none-eabi-gcc") if request.param == "gcc" else require_package("ziglang")
    return request.param  # type: ignore[no-any-return]


Built = Callable[[Profile, Compiler], Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """``built(board, compiler)``: the ELF of ``GRAPH``, linked once for all tests."""
    known: dict[tuple[int | None, Compiler], Path] = {}

    def elf(board: Profile, compiler: Compiler) -> Path:
        key = (board.region("dtcm").weight_copies_bytes, compiler)
        if key not in known:
            known[key] = build(
                export(GRAPH, board, tmp_path_factory.mktemp("built"))[0].parent, board, compiler
            ).elf
        return known[key]

    return elf


def code_bytes(image: Image) -> int:
    return next(section.size_bytes for section in image.sections if section.name == ".text")


@pytest.mark.parametrize("board", [BOARD, SOME], ids=["all", "some"])
def test_copied_weights_give_the_same_scores(
    built: Built, compiler: Compiler, board: Profile, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    plan = layout(GRAPH, board)
    assert plan.copies is not None
    weights = {constant.symbol for constant in plan.constants if constant.kind == "weights"}
    assert (set(plan.copies.symbols) == weights) == (board is BOARD)
    elf = built(board, compiler)
    image = read_elf(elf)
    assert findings(image, plan, board) == []
    assert all(proof.holds for proof in proofs(image, plan, board) if proof.exact)
    dtcm, flash = board.region("dtcm"), board.region("flash")
    (copied,) = (section for section in image.sections if section.name == ".copies")
    assert copied.size_bytes == plan.copies.size_bytes and copied.load_address is not None
    assert dtcm.origin < copied.address < dtcm.origin + dtcm.size_bytes
    assert flash.origin < copied.load_address < flash.origin + flash.size_bytes
    # The stack stays first in its memory, where an overflow faults.
    assert image.symbol("_stack_limit").address == dtcm.origin
    for constant in plan.constants:
        in_dtcm = (
            dtcm.origin <= image.symbol(f"net_{constant.symbol}").address < dtcm.origin + dtcm.size_bytes
        )
        assert in_dtcm == (constant.symbol in plan.copies.symbols)
    # Both memories show them: what a programmer writes, and where it is used.
    rows = image_map(image, board, NetworkBytes(image, ("net",))).rows
    assert {row.region for row in rows if row.section == ".copies"} == {"dtcm", "flash"}
    runtime = UnicornRuntime(elf, board, GRAPH)
    images = random_images(GRAPH, 3)
    assert np.array_equal(runtime.scores(images), reference.scores(GRAPH, images))
    inspection = runtime.inspect(images[0])
    assert inspection.strays == () and inspection.repeatable


def test_copying_costs_what_is_planned_and_no_stack(built: Built, compiler: Compiler) -> None:
    plain, copying = (read_elf(built(board, compiler)) for board in (PLAIN, BOARD))
    assert COPYING_BYTES - 8 < code_bytes(copying) - code_bytes(plain) <= COPYING_BYTES
    assert stack_bound(copying) == stack_bound(plain)


def test_weights_that_are_not_copied_fail_the_self_test(
    tmp_path: Path, compiler: Compiler, require_package: Callable[[str], None]
) -> None:
    """The emulated memory holds anything at first, as a board's does."""
    require_package("unicorn")
    folder = export(GRAPH, BOARD, tmp_path)[0].parent
    startup = folder / "startup.c"
    startup.write_text(startup.read_text().replace("#define SPIKENAS_COPIES\n", ""))
    with pytest.raises(Exception, match="self-test"):
        UnicornRuntime(build(folder, BOARD, compiler).elf, BOARD, GRAPH).scores(random_images(GRAPH, 1))
