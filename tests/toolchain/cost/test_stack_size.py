from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from benchmarks.stack_sizes import measure
from exporters.c import compilers
from exporters.c.cores import CORES
from toolchain import profiles
from toolchain.cost.code_size import Compiler, table_name
from toolchain.cost.stack_size import TABLE, measured_version, stack_bytes
from toolchain.files import read_toml
from toolchain.schedules import Schedule

BOARD = profiles.load("stm32f405")


@pytest.mark.parametrize("schedule", get_args(Schedule))
@pytest.mark.parametrize("core", CORES)
def test_the_reserve_holds_for_either_compiler(core: str, schedule: Schedule) -> None:
    table = read_toml(TABLE)
    found = stack_bytes(BOARD.model_copy(update={"core": core}), schedule)
    assert found == max(table[table_name(compiler, schedule)][core] for compiler in get_args(Compiler))
    assert 256 < found < BOARD.stack_bytes and found % 8 == 0


def test_interrupts_of_the_user_s_come_on_top() -> None:
    board = BOARD.model_copy(update={"interrupt_stack_bytes": 256})
    assert stack_bytes(board) == stack_bytes(BOARD) + 256


def test_a_core_that_nothing_is_built_for_has_what_its_profile_says() -> None:
    board = profiles.load("esp32s3")
    assert stack_bytes(board) == board.stack_bytes > 0


@pytest.mark.parametrize("compiler", get_args(Compiler))
def test_the_table_is_what_is_measured(
    compiler: Compiler, require_tool: Callable[[str], str], require_package: Callable[[str], None]
) -> None:
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    if compilers.version(compiler) != measured_version(compiler):
        pytest.skip(f"stacks were measured with {compiler} {measured_version(compiler)}")
    assert measure(BOARD, compiler) == read_toml(TABLE)[compiler][BOARD.core]
