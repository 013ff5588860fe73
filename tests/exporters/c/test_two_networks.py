"""Two networks in one image: their names apart, their kernels shared, in C and in C++."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporters.c import compilers, export
from exporters.c.build import build_host
from tests.support.bare import Bare, link
from tests.support.graphs import of_numbers, random_graph, random_images
from tests.support.streams import scores_by_step, stream
from toolchain import profiles
from toolchain.cost.code_size import Compiler
from toolchain.graph import reference
from toolchain.schedules import Schedule
from toolchain.verification.elf import read_elf
from toolchain.verification.network_symbols import prefixes_of

BOARD = profiles.load("stm32f405")
GRAPHS = {"eyes": random_graph(1), "ears": random_graph(2, framed=True), "nose": of_numbers(random_graph(4))}
SCHEDULES: dict[str, Schedule] = {"eyes": "layers", "ears": "steps", "nose": "steps"}
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
IMAGES = 3

MAIN = """
void *volatile keep;

int main(void)
{
    int32_t eyes[EYES_CLASSES], ears[EARS_CLASSES], nose[NOSE_OUTPUTS];

    keep = (void *)eyes_infer;
    keep = (void *)ears_infer;
    keep = (void *)nose_infer;
    keep = (void *)ears_reset;
    keep = (void *)ears_step;
    keep = (void *)ears_scores;
    keep = (void *)nose_reset;
    keep = (void *)nose_step;
    keep = (void *)nose_scores;
    return eyes_self_test(eyes) + 2 * ears_self_test(ears) + 4 * nose_self_test(nose);
}
"""

PROGRAM = """
#include <stdio.h>
#include "eyes/c/eyes.h"
#include "ears/c/ears.h"
#include "nose/c/nose.h"

int main()
{
    static int32_t eyes[EYES_CLASSES], ears[EARS_CLASSES], nose[NOSE_OUTPUTS];
    static uint8_t image[EYES_IMAGE_BYTES], window[EARS_IMAGE_BYTES];
    static const uint8_t pixels[EYES_CHANNELS * 4] = {9};
    const snn_frame frame = {pixels, EYES_CHANNELS * 2, 2, 2, SNN_INTERLEAVED};
    const uint32_t before = eyes_cycles();
    const bool tested = eyes_self_test(eyes) && ears_self_test(ears) && nose_self_test(nose);
    const bool fed = eyes_preprocess(&frame, image) && ears_collect(window, 0, 0, 1, 0);

    eyes_infer(image, eyes);
    printf("%s %d %u\\n", EYES_SHA256, EARS_HAS_CYCLES, static_cast<unsigned>(ears_cycles() - before));
    return tested && fed && eyes_info.time_steps == EYES_TIME_STEPS ? 0 : 1;
}
"""


def exported(folder: Path) -> dict[str, Path]:
    """The networks' folders."""
    return {
        name: export(graph, BOARD, folder / name, prefix=name, schedule=SCHEDULES[name])[0].parent
        for name, graph in GRAPHS.items()
    }


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_networks_in_one_image_give_each_its_own_scores(
    tmp_path: Path,
    compiler: Compiler,
    require_tool: Callable[[str], str],
    require_package: Callable[[str], None],
) -> None:
    require_package("unicorn")
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    folders = exported(tmp_path)
    sources = [path for name, folder in folders.items() for path in sorted(folder.glob(f"{name}*.c"))]
    # The kernels of one of the folders serve all: they are the same files.
    sources += sorted(folders["eyes"].glob("snn_*.c"))
    includes = "".join(f'#include "{name}.h"\n' for name in folders)
    elf = link(tmp_path, "cortex-m4", compiler, sources, includes + MAIN)
    board = Bare(elf, "cortex-m4")
    assert board.call("main") == 7
    rows = {name: random_images(graph, IMAGES, seed=3) for name, graph in GRAPHS.items()}
    buffers = {
        name: (board.buffer(bytes(graph.input.size)), board.buffer(bytes(4 * graph.head.classes)))
        for name, graph in GRAPHS.items()
    }
    for index in range(IMAGES):
        # In turn, so that a buffer that two networks shared would show.
        for name in GRAPHS:
            image, scores = buffers[name]
            board.core.mem_write(image, np.moveaxis(rows[name][index], -3, -1).tobytes())
            board.call(f"{name}_infer", image, scores)
        for name, graph in GRAPHS.items():
            found = np.frombuffer(board.read(buffers[name][1], 4 * graph.head.classes), "<i4")
            expected = reference.scores(graph, rows[name][index : index + 1])[0]
            assert np.array_equal(found, expected), (name, index)
    streams = {name: stream(graph, 3, seed=7) for name, graph in GRAPHS.items() if SCHEDULES[name] == "steps"}
    for name in streams:
        board.call(f"{name}_reset")
    for step in range(3):
        for name, frames in streams.items():
            image, _ = buffers[name]
            board.core.mem_write(image, np.moveaxis(frames[step], -3, -1).tobytes())
            assert board.call(f"{name}_step", image) == 1
        # The third network runs in between, and disturbs neither stream.
        board.call("eyes_infer", *buffers["eyes"])
        for name, frames in streams.items():
            board.call(f"{name}_scores", buffers[name][1])
            found = np.frombuffer(board.read(buffers[name][1], 4 * GRAPHS[name].head.classes), "<i4")
            assert found.tolist() == scores_by_step(GRAPHS[name], frames)[step], (name, step)


def test_no_name_is_there_twice_and_memory_is_each_network_s_own(
    tmp_path: Path, require_package: Callable[[str], None]
) -> None:
    require_package("ziglang")
    folders = exported(tmp_path)
    sources = [path for name, folder in folders.items() for path in sorted(folder.glob(f"{name}*.c"))]
    sources += sorted(folders["eyes"].glob("snn_*.c"))
    includes = "".join(f'#include "{name}.h"\n' for name in folders)
    image = read_elf(link(tmp_path, "cortex-m4", "zig", sources, includes + MAIN))
    # Beside these there are the kernels' own functions, which are bound to their files.
    counts = Counter(symbol.name for symbol in image.objects if symbol.name.startswith(("snn_", *folders)))
    assert counts and [name for name, count in counts.items() if count > 1] == []
    assert set(prefixes_of(image)) == {"eyes_", "ears_", "nose_", "snn_"}
    assert counts["eyes_arena"] == counts["ears_arena"] == counts["snn_fire"] == 1


def test_another_file_cannot_reach_a_network_s_memory(tmp_path: Path) -> None:
    """The arena is in the symbol table, for proofs, but bound to its file."""
    folder = exported(tmp_path)["eyes"]
    (folder / "thief.c").write_text(
        "extern unsigned char eyes_arena[];\nint main(void)\n{\n    return eyes_arena[0];\n}\n"
    )
    sources = ["thief.c", "eyes.c", *sorted(path.name for path in folder.glob("snn_*.c"))]
    done = compilers.run([*compilers.host_command(), "-std=c99", *sources, "-o", "thief"], folder)
    assert done.returncode != 0 and "eyes_arena" in done.stderr


def test_cpp_includes_all_of_them(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    library = build_host(list(exported(tmp_path).values()), tmp_path / "libnets.so")
    (tmp_path / "main.cpp").write_text(PROGRAM)
    flags = ["-std=c++11", *WARNINGS, f"-Wl,-rpath,{tmp_path}"]
    done = compilers.run([require_tool("g++"), *flags, "main.cpp", str(library), "-o", "main"], tmp_path)
    assert done.returncode == 0, done.stderr
    found = subprocess.run([str(tmp_path / "main")], timeout=60, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, f"{GRAPHS['eyes'].sha256()} 0 0\n")


def test_zig_s_cpp_includes_all_of_them(tmp_path: Path, require_package: Callable[[str], None]) -> None:
    """Compiled, not linked: zig would build a C++ library first, which takes minutes."""
    require_package("ziglang")
    exported(tmp_path)
    (tmp_path / "main.cpp").write_text(PROGRAM)
    command = [compilers.arm_command("zig")[1][0], "c++", "-std=c++11", *WARNINGS]
    done = compilers.run([*command, "-c", "main.cpp", "-o", "main.o"], tmp_path)
    assert done.returncode == 0, done.stderr
