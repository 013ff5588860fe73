"""Depths of stacks counted by hand: small functions in assembly, one image for all, and what compilers say of C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.c import compilers, export
from exporters.c.build import build
from exporters.c.cores import ARM, CODE, CORES
from tests.support.graphs import random_graph
from toolchain import profiles
from toolchain.errors import InputError
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.stack_bound import stack_bound

FUNCTIONS = {
    "spikenas_fault": "1: b 1b",
    "leaf": "bx lr",
    "pushes": "push {r4-r7, lr}\n sub sp, #12\n add sp, #12\n pop {r4-r7, pc}",
    # The deepest place is behind a branch, and what one path has open another has not.
    "branches": """
        cbz r0, 2f
        push {r4, lr}
        bl pushes
        pop {r4, pc}
     2: push.w {r4-r11, lr}
        sub.w sp, sp, #400
        add.w sp, sp, #400
        pop.w {r4-r11, pc}""",
    "loops": "1: push {r0}\n pop {r0}\n subs r0, #1\n bne 1b\n bx lr",
    "jumps": "sub sp, #16\n add sp, #16\n b.w pushes",
    "tables": """
        push {lr}
        tbb [pc, r0]
        .byte (2f - . ) / 2
        .byte (3f - . + 1) / 2
        .byte (2f - . + 2) / 2
        .align 1
     2: sub sp, #40
        add sp, #40
     3: pop {pc}""",
    "conditional": "push {r4, lr}\n cmp r0, #0\n it eq\n popeq {r4, pc}\n bl pushes\n pop {r4, pc}",
    "written_back": """
        str lr, [sp, #-4]!
        vpush {d8-d9}
        vpop {d8-d9}
        strd r0, r1, [sp, #-8]!
        add sp, #8
        pop {pc}""",
    # Nothing comes back from a fault, so what lies behind it is no code.
    "floats": "vmul.f32 s0, s0, s0\n b.w moves",
    "moves": "vldr s0, [r0]\n bx lr",
    "ends": "push {r4, lr}\n bl spikenas_fault\n .word 0xffffffff",
    "recursive": "push {lr}\n bl other\n pop {pc}",
    "other": "push {lr}\n bl recursive\n pop {pc}",
    "grows": "1: push {r0}\n subs r0, #1\n bne 1b\n bx lr",
    "dynamic": "sub sp, sp, r0\n add sp, sp, r0\n bx lr",
    "restored": "mov r7, sp\n mov sp, r7\n bx lr",
    "stray": "push {lr}\n blx r0\n pop {pc}",
    "stray_jump": "bx r0",
    "runs_on": "push {lr}",
    "run_layer": "push {r4, lr}\n blx r2\n pop {r4, pc}",
    "snn_add_rows_8": "push {r4-r7}\n pop {r4-r7}\n bx lr",
    "snn_add_rows_8.part.0": "push {r4-r8, lr}\n pop {r4-r8, pc}",
}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    pytest.importorskip("ziglang", reason="assembles")
    folder = tmp_path_factory.mktemp("functions")
    functions = [
        f'.global "{name}"\n.type "{name}", %function\n.thumb_func\n"{name}":\n{code}\n.size "{name}", . - "{name}"\n'
        ".align 2\n"
        for name, code in FUNCTIONS.items()
    ]
    head = ".syntax unified\n.thumb\n.fpu fpv4-sp-d16\n.text\n"
    (folder / "functions.S").write_text(head + "\n".join(functions))
    link = ["-nostdlib", "-Wl,--entry=leaf"]
    command = [*compilers.arm_command("zig")[1], *ARM["zig"], "-mcpu=cortex_m4", *link]
    outcome = compilers.run([*command, "functions.S", "-o", "functions.elf"], folder)
    assert outcome.returncode == 0, outcome.stderr
    return read_elf(folder / "functions.elf")


@pytest.mark.parametrize(
    "name, depth",
    {
        "leaf": 0,
        "pushes": 32,
        "branches": 436,
        "loops": 4,
        "jumps": 32,
        "tables": 44,
        "conditional": 40,
        "written_back": 20,
        "ends": 8,
        "run_layer": 8 + 24,
    }.items(),
)
def test_the_deepest_path_counts(image: Image, name: str, depth: int) -> None:
    found = stack_bound(image, name)
    assert found.program_bytes == depth
    assert found.bytes == -(-(depth + 36) // 8) * 8


def test_the_deepest_path_is_told(image: Image) -> None:
    assert stack_bound(image, "conditional").path == ("conditional", "pushes")
    assert stack_bound(image, "run_layer").path == ("run_layer", "snn_add_rows_8.part.0")
    assert stack_bound(image, "branches").path == ("branches",)


def test_what_runs_and_what_computes_with_floats_is_told(image: Image) -> None:
    found = stack_bound(image, "floats")
    assert found.functions == {"floats", "moves", "spikenas_fault"} and found.floating == {"floats"}
    assert not stack_bound(image, "written_back").floating


@pytest.mark.parametrize(
    "name, why",
    {
        "recursive": "other calls recursive again, which is recursion",
        "grows": r"comes to 0x\w+ with 0 and with 4 bytes pushed",
        "dynamic": r"moves the stack by an unknown amount at 0x\w+ \(sub.w sp, sp, r0\)",
        "restored": r"moves the stack by an unknown amount at 0x\w+ \(mov sp, r7\)",
        "stray": r"stray calls through a pointer at 0x\w+ that could be any function",
        "stray_jump": r"stray_jump calls through a pointer at 0x\w+ that could be any function",
        "runs_on": "runs on behind its end",
    }.items(),
)
def test_what_has_no_bound_is_refused(image: Image, name: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        stack_bound(image, name)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m55"])
def test_frames_are_those_that_gcc_tells(
    tmp_path: Path, core: str, require_tool: Callable[[str], str]
) -> None:
    """``-fstack-usage`` writes every function's frame; along the deepest path they add up to the bound.

    It knows none of functions in assembly, which call nothing.
    """
    require_tool("arm-none-eabi-gcc")
    board = profiles.load("stm32f405").model_copy(update={"core": core})
    folder = export(random_graph(0), board, tmp_path)[0].parent
    image = read_elf(build(folder, board, "gcc").elf)
    bound = stack_bound(image)
    command = [*compilers.arm_command("gcc")[1], *ARM["gcc"], f"-mcpu={CORES[core]['gcc']}", *CODE]
    sources = [path.name for path in folder.glob("*.c")]
    outcome = compilers.run([*command, "-fstack-usage", "-c", *sources], folder)
    assert outcome.returncode == 0, outcome.stderr
    frames: dict[str, set[int]] = {}
    for line in "".join(path.read_text() for path in folder.glob("*.su")).splitlines():
        where, size, kind = line.split("\t")
        assert kind in ("static", "ignoring_inline_asm,static", "static,ignoring_inline_asm"), line
        frames.setdefault(where.split(":")[-1], set()).add(int(size))
    *callers, last = bound.path
    told = sum(max(frames[name]) for name in callers)
    told += max(frames[last]) if last in frames else stack_bound(image, last).program_bytes
    assert bound.program_bytes == told, bound.path
