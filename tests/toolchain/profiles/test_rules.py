"""Each rule: the sound boards keep it, and a board that breaks it is told by that rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.toolchain.profiles.boards import linux_board, microcontroller
from toolchain.profiles import from_document
from toolchain.profiles.findings import ProfileError
from toolchain.profiles.rules import RULES, documentation

Board = dict[str, Any]


def mcu(change: Callable[[Board], object]) -> Board:
    board = microcontroller()
    change(board)
    return board


def linux(change: Callable[[Board], object]) -> Board:
    board = linux_board()
    change(board)
    return board


def flash(**values: object) -> Board:
    return mcu(lambda board: board["regions"][0].update(values))


def sram(**values: object) -> Board:
    return mcu(lambda board: board["regions"][1].update(values))


def copying_twice(board: Board) -> None:
    sram = board["regions"][1] | {"weight_copies_bytes": 1024}
    other = sram | {"name": "other", "origin": 0x3000_0000, "holds": ["buffers"]}
    board["regions"][1:] = [sram, other]


def copying_into_a_host(board: Board) -> None:
    for region in board["regions"]:
        region["reserved_bytes"] = 4096
    board["regions"][1]["weight_copies_bytes"] = 1024
    board["role"] = "hosted"


CALIBRATION = {"board": "a board", "measured_on": "2026-01-31", "source": "measured on a board"}
EMULATION = {
    "unicorn_cpu": "CORTEX_M4",
    "qemu_machine": "netduinoplus2",
    "qemu_flash_origin": 0x0800_0000,
    "qemu_flash_bytes": 1 << 20,
    "qemu_ram_origin": 0x2000_0000,
    "qemu_ram_bytes": 1 << 17,
    "source": "QEMU",
}

BREACHES: list[tuple[str, Board]] = [
    ("regions_match_role", mcu(lambda b: b.update(regions=[]))),
    ("regions_match_role", linux(lambda b: b.update(regions=microcontroller()["regions"]))),
    ("region_has_size", sram(size_bytes=0)),
    ("region_has_size", sram(size_bytes=-1024)),
    ("region_keeps_room", sram(reserved_bytes=1 << 17)),
    ("region_keeps_room", sram(reserved_bytes=-256)),
    ("bootloader_is_reserved", flash(bootloader_bytes=1024)),
    ("bootloader_is_reserved", flash(bootloader_bytes=-256)),
    ("bootloader_is_reserved", flash(bootloader_bytes=1024, reserved_bytes=2048, reserved_at="end")),
    ("bootloader_is_reserved", sram(bootloader_bytes=256, reserved_bytes=256)),
    ("region_is_aligned", flash(origin=0x0800_0001)),
    ("region_is_aligned", sram(size_bytes=131_000)),
    ("region_is_aligned", flash(reserved_bytes=100)),
    ("region_is_addressable", sram(origin=0xFFFF_F000)),
    ("region_is_addressable", sram(origin=-1024)),
    ("regions_do_not_overlap", sram(origin=0x080F_FC00)),
    ("regions_do_not_overlap", sram(origin=0x0800_0000)),
    ("contents_suit_memory", flash(holds=["code", "weights", "stack"])),
    ("contents_suit_memory", flash(holds=["code", "weights", "code"])),
    ("contents_suit_memory", sram(holds=[])),
    ("contents_have_a_place", flash(holds=["code"])),
    ("contents_have_a_place", flash(holds=["weights"])),
    ("contents_have_a_place", sram(holds=["stack"])),
    ("stack_has_a_place", sram(holds=["buffers"])),
    ("copies_suit_memory", flash(weight_copies_bytes=4096)),
    ("wait_states_are_counted", flash(wait_states=-1)),
    ("wait_states_are_counted", flash(wait_states=65)),
    ("copies_suit_memory", sram(weight_copies_bytes=4098)),
    ("copies_suit_memory", sram(weight_copies_bytes=-4)),
    ("copies_suit_memory", sram(weight_copies_bytes=1 << 18)),
    ("copies_suit_memory", mcu(copying_twice)),
    ("copies_suit_memory", mcu(copying_into_a_host)),
    ("stack_has_a_place", mcu(lambda b: b.update(stack_bytes=0))),
    ("stack_has_a_place", mcu(lambda b: b.update(stack_bytes=100))),
    ("stack_has_a_place", mcu(lambda b: b.update(stack_bytes=1 << 18))),
    ("stack_has_a_place", mcu(lambda b: b.update(interrupt_stack_bytes=4))),
    ("stack_has_a_place", mcu(lambda b: b.update(interrupt_stack_bytes=-8))),
    ("stack_has_a_place", mcu(lambda b: b.update(interrupt_stack_bytes=1 << 18))),
    ("stack_has_a_place", linux(lambda b: b.update(stack_bytes=2048))),
    ("stack_has_a_place", linux(lambda b: b.update(interrupt_stack_bytes=8))),
    ("host_keeps_its_memory", mcu(lambda b: b.update(role="hosted"))),
    ("role_has_its_tables", linux(lambda b: b.pop("linux"))),
    ("role_has_its_tables", linux(lambda b: b.pop("runtime"))),
    ("role_has_its_tables", linux(lambda b: b.update(emulation=EMULATION))),
    ("role_has_its_tables", mcu(lambda b: b.update(linux=linux_board()["linux"]))),
    ("core_is_named", mcu(lambda b: b.pop("core"))),
    ("core_is_named", linux(lambda b: b.update(core="cortex-m4"))),
    ("speeds_are_positive", mcu(lambda b: b.update(clock_hz=0))),
    ("speeds_are_positive", mcu(lambda b: b.update(clock_hz=168))),
    (
        "speeds_are_positive",
        linux(lambda b: b.update(performance={"float_macs_per_second": 0.0, "source": "s"})),
    ),
    ("power_is_positive", mcu(lambda b: b.update(power={"active_mw": 0.0, "source": "a data sheet"}))),
    ("power_is_positive", linux(lambda b: b.update(power={"active_mw": -3000.0, "source": "a data sheet"}))),
    ("calibration_is_of_this_board", mcu(lambda b: b.update(calibration=CALIBRATION))),
    (
        "calibration_is_of_this_board",
        mcu(lambda b: b.update(calibration=CALIBRATION | {"cycles_per_instruction": -1.0})),
    ),
    (
        "calibration_is_of_this_board",
        mcu(lambda b: b.update(calibration=CALIBRATION | {"onnx_macs_per_second": 1e9})),
    ),
    (
        "calibration_is_of_this_board",
        linux(lambda b: b.update(calibration=CALIBRATION | {"cycles_per_instruction": 1.2})),
    ),
    (
        "calibration_is_of_this_board",
        linux(
            lambda b: b.update(
                calibration=CALIBRATION | {"onnx_macs_per_second": 1e9, "measured_on": "yesterday"}
            )
        ),
    ),
    ("linux_limits_agree", linux(lambda b: b["linux"].update(artifact_bytes=0))),
    ("linux_limits_agree", linux(lambda b: b["linux"].update(rate_hz=-1.0))),
    ("linux_limits_agree", linux(lambda b: b["linux"].update(latency_ms=34.0))),
    ("linux_limits_agree", linux(lambda b: b["linux"].update(resident_bytes=1 << 31))),
    ("runtime_versions_are_versions", linux(lambda b: b["runtime"].update(onnxruntime="newest"))),
    ("runtime_versions_are_versions", linux(lambda b: b["runtime"].update(onnx_opset=12))),
    ("runtime_versions_are_versions", linux(lambda b: b["runtime"].update(tflite_package="tflite-runtime"))),
    ("formats_can_be_loaded", mcu(lambda b: b.update(default_formats=["c", "onnx"]))),
    ("formats_can_be_loaded", mcu(lambda b: b.update(default_formats=[]))),
    ("formats_can_be_loaded", linux(lambda b: b.update(default_formats=["onnx", "onnx"]))),
    ("formats_can_be_loaded", linux(lambda b: b.update(default_formats=["tflite"]))),
    ("emulation_is_whole", mcu(lambda b: b.update(emulation=EMULATION | {"unicorn_cpu": "CORTEX_M7"}))),
    ("emulation_is_whole", mcu(lambda b: b.update(core="cortex-m55", emulation=EMULATION))),
    ("emulation_is_whole", mcu(lambda b: b.update(emulation=EMULATION | {"qemu_ram_bytes": None}))),
    ("emulation_is_whole", mcu(lambda b: b.update(emulation=EMULATION | {"qemu_machine": None}))),
    ("emulation_is_whole", mcu(lambda b: b.update(emulation=EMULATION | {"qemu_ram_origin": -1}))),
    ("integrations_are_for_sources", mcu(lambda b: b.update(integrations=["px4", "px4"]))),
    ("integrations_are_for_sources", linux(lambda b: b.update(integrations=["cmake"]))),
    ("flash_tools_are_known", mcu(lambda b: b.update(flash_tools=["hammer"]))),
    ("flash_tools_are_known", mcu(lambda b: b.update(flash_tools=["ssh"]))),
    ("flash_tools_are_known", linux(lambda b: b.update(flash_tools=["ssh", "ssh"]))),
    ("names_for_tools_are_words", mcu(lambda b: b.update(flashing={"pyocd_target": "-x", "source": "s"}))),
    ("names_for_tools_are_words", mcu(lambda b: b.update(flashing={"dfu_device": "a b", "source": "s"}))),
    (
        "names_for_tools_are_words",
        mcu(lambda b: b.update(flashing={"openocd_target": "a/../b", "source": "s"})),
    ),
    ("names_for_tools_are_words", mcu(lambda b: b.update(flashing={"uf2_family": 2**32, "source": "s"}))),
    ("texts_are_readable", mcu(lambda b: b.update(title="red \x1b[31m"))),
    ("texts_are_readable", mcu(lambda b: b.update(source=" "))),
    ("texts_are_readable", sram(source="two\nlines")),
    ("texts_are_readable", mcu(lambda b: b.update(power={"active_mw": 9.0, "source": ""}))),
    ("texts_are_readable", mcu(lambda b: b.update(flash_tools=["pyocd", ""]))),
]


def broken(board: Board) -> set[str]:
    with pytest.raises(ProfileError) as caught:
        from_document(board, "board.toml")
    assert all(finding.message and "\n" not in finding.message for finding in caught.value.findings)
    return {finding.rule for finding in caught.value.findings}


@pytest.mark.parametrize(("rule", "board"), BREACHES)
def test_a_breach_is_told_by_its_rule(rule: str, board: Board) -> None:
    assert rule in broken(board)


def test_every_rule_has_a_breach_here_and_documentation() -> None:
    assert {rule for rule, _ in BREACHES} == {rule.__name__ for rule in RULES}
    assert all(len(text) > 30 for text in documentation().values())


@pytest.mark.parametrize(
    "board", [microcontroller(), linux_board(), mcu(lambda b: b.update(emulation=EMULATION))]
)
def test_sound_boards_pass(board: Board) -> None:
    assert from_document(board, "board.toml").name == "board"


def test_neighbouring_regions_do_not_overlap() -> None:
    assert from_document(sram(origin=0x0810_0000), "board.toml").regions[1].origin == 0x0810_0000


def test_a_hosted_board_reserves_in_both_kinds() -> None:
    board = flash(reserved_bytes=4096)
    board["role"] = "hosted"
    assert broken(board) == {"host_keeps_its_memory"}
    board["regions"][1]["reserved_bytes"] = 4096
    assert from_document(board, "board.toml").role == "hosted"


def test_all_breaches_are_told_at_once() -> None:
    board = sram(origin=0x0800_0000, holds=["buffers"])
    board.update(clock_hz=-1, core=None)
    assert broken(board) >= {
        "regions_do_not_overlap",
        "stack_has_a_place",
        "speeds_are_positive",
        "core_is_named",
    }
