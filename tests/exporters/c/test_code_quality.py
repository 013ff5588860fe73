"""The C itself: free of warnings in every compiler, of undefined behaviour, and usable beside other C and C++."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import exporters.c
from benchmarks.code_sizes import network
from exporters.c import compilers, export
from exporters.c.build import build
from exporters.c.cores import ARM, CODE, CORES, HOST, LINK
from exporters.c.export import BARE_METAL
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain import profiles
from toolchain.cost.code_size import Compiler
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.schedules import Schedule
from toolchain.verification.elf import read_elf
from toolchain.verification.stack_bound import stack_bound

BOARD = profiles.load("stm32f405")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror")
EXAMPLE = ("-I.", "-c", "examples/console_main.c", "-o")
SECTIONS = {".text", ".constants", ".stack", ".mailbox", ".arena"}
"""Of an image; what would run before main, and what would have to be cleared, has sections of its own."""

HEADER = Path(exporters.c.__file__).parent / "runtime" / "snn.h"
KERNELS = set(re.findall(r"^void (snn_\w+)\(const snn_\w+ \*node", HEADER.read_text(), re.MULTILINE))
NETWORKS = 16
IMAGES = 3


def every_kernel() -> Graph:
    """A network of all kernels but that of frames, which takes the place of that of one image."""
    return network(1, 1, bits=[8, 4, 2, 0], head_bits=4)


def run(command: Sequence[str], folder: Path) -> str:
    outcome = compilers.run(command, folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def on_host(compiler: str, require_tool: Callable[[str], str]) -> list[str]:
    return compilers.arm_command("zig")[1] if compiler == "zig" else [require_tool("gcc")]


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_no_compiler_of_this_machine_warns(
    tmp_path: Path,
    compiler: str,
    require_tool: Callable[[str], str],
    require_package: Callable[[str], None],
) -> None:
    require_package("ziglang")
    folder = export(every_kernel(), BOARD, tmp_path)[0].parent
    export(every_kernel(), BOARD, tmp_path, prefix="stream", schedule="steps")
    sources = sorted(path.name for path in folder.glob("*.c") if path.name not in BARE_METAL)
    command = on_host(compiler, require_tool)
    run([*command, *HOST, *WARNINGS, *sources, "-o", str(tmp_path / "linked")], folder)
    run([*command, "-std=c99", *WARNINGS, *EXAMPLE, str(tmp_path / "example.o")], folder)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_an_image_of_every_core_has_our_code_alone(
    tmp_path: Path,
    core: str,
    compiler: Compiler,
    require_tool: Callable[[str], str],
    require_package: Callable[[str], None],
) -> None:
    """No warning, no heap, no library, no recursion, no floating point, nothing that runs before main."""
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    board = BOARD.model_copy(update={"core": core})
    folder = export(every_kernel(), board, tmp_path)[0].parent
    command = compilers.arm_command(compiler)[1]
    flags = [*ARM[compiler], f"-mcpu={CORES[core][compiler]}", *CODE, *LINK, "-T", "link.ld"]
    sources = sorted(path.name for path in folder.glob("*.c"))
    run([*command, *flags, *WARNINGS, *sources, "-o", str(tmp_path / "linked.elf")], folder)
    alone = [flag for flag in flags if flag not in LINK and flag not in ("-T", "link.ld")]
    run([*command, *alone, *WARNINGS, *EXAMPLE, str(tmp_path / "example.o")], folder)
    image = read_elf(tmp_path / "linked.elf")
    functions = [symbol for symbol in image.objects if symbol.function]
    written = set(re.findall(r"\w+", " ".join((folder / name).read_text() for name in sources)))
    assert {symbol.name.partition(".")[0] for symbol in functions} <= written
    assert not {symbol.name for symbol in functions} & {"malloc", "calloc", "realloc", "free", "_sbrk"}
    assert {section.name for section in image.sections} <= SECTIONS
    # Nothing is linked that cannot run, and nothing calls itself.
    bound = stack_bound(image)
    assert {symbol.name for symbol in functions} - {"Reset_Handler"} == bound.functions
    assert not bound.floating


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_kernels_that_a_network_does_not_use_are_not_linked(
    tmp_path: Path,
    compiler: Compiler,
    require_tool: Callable[[str], str],
    require_package: Callable[[str], None],
) -> None:
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    linked = {}
    networks: tuple[tuple[str, Graph, Schedule], ...] = (
        ("all", every_kernel(), "layers"),
        ("frames", network(frames=4), "layers"),
        ("base", network(), "layers"),
        ("all by steps", every_kernel(), "steps"),
        ("base by steps", network(), "steps"),
    )
    for name, graph, schedule in networks:
        folder = export(graph, BOARD, tmp_path / name, schedule=schedule)[0].parent
        image = read_elf(build(folder, BOARD, compiler).elf)
        linked[name] = {symbol.name for symbol in image.objects if symbol.function}
        assert linked[name] - {"Reset_Handler"} == stack_bound(image).functions
        (code,) = (section for section in image.sections if section.name == ".text")
        assert code.size_bytes < 12 * 1024, "the issue's limit on a Cortex-M4"
    assert KERNELS <= set.union(*linked.values())
    assert KERNELS & linked["base"] == {"snn_pixel", "snn_head"}
    assert KERNELS & linked["frames"] == {"snn_frames", "snn_head"}
    assert KERNELS & linked["base by steps"] == {"snn_pixel_step", "snn_count_step", "snn_head_step"}
    assert KERNELS & linked["all"] & linked["all by steps"] == {"snn_or_pool"}


def test_cppcheck_finds_nothing(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    folder = export(every_kernel(), BOARD, tmp_path)[0].parent
    checks = ["--enable=warning,performance,portability", "--std=c99", "--platform=unix32"]
    checks += ["--suppress=missingIncludeSystem", "--quiet"]
    run([require_tool("cppcheck"), *checks, "--error-exitcode=1", str(folder)], tmp_path)


def test_addresses_and_arithmetic_are_clean_under_the_sanitizers(
    tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """AddressSanitizer and UndefinedBehaviorSanitizer watch networks run, from buffers of exactly their size."""
    graphs = [random_graph(100 + index // 2) for index in range(NETWORKS)]  # each by both schedules
    lines, sources, expected = [], [], []
    for index, graph in enumerate(graphs):
        prefix = f"net{index}"
        schedule: Schedule = "steps" if index % 2 else "layers"
        folder = export(graph, BOARD, tmp_path / prefix, prefix=prefix, schedule=schedule)[0].parent
        sources.append(str(folder / f"{prefix}.c"))
        images = random_images(graph, IMAGES, seed=index)
        expected += reference.scores(graph, images).ravel().tolist()
        (tmp_path / f"{prefix}.bin").write_bytes(np.moveaxis(images, -3, -1).tobytes())
        lines.append(f'    run("{prefix}.bin", {prefix}_infer, {graph.input.size}, {graph.head.classes});')
    includes = "\n".join(f'#include "net{index}/c/net{index}.h"' for index in range(NETWORKS))
    (tmp_path / "main.c").write_text(HARNESS.format(includes=includes, images=IMAGES, runs="\n".join(lines)))
    kernels = sorted(str(path) for path in (tmp_path / "net0" / "c").glob("snn_*.c"))
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-std=c99"]
    called = set(re.findall(r"snn_\w+(?=\(&)", " ".join(Path(source).read_text() for source in sources)))
    assert called == KERNELS
    program = str(tmp_path / "main")
    run([require_tool("gcc"), *sanitizers, *kernels, *sources, "main.c", "-o", program], tmp_path)
    found = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    assert [int(word) for word in found.stdout.split()] == expected


HARNESS = """\
#include <stdio.h>
#include <stdlib.h>
{includes}

static void run(const char *path, snn_infer infer, size_t size, size_t classes)
{{
    FILE *stream = fopen(path, "rb");
    size_t image, k;

    if (!stream) {{
        exit(2);
    }}
    for (image = 0; image < {images}; image++) {{
        uint8_t *pixels = malloc(size);
        int32_t *scores = malloc(classes * sizeof *scores);

        if (!pixels || !scores || fread(pixels, 1, size, stream) != size) {{
            exit(2);
        }}
        infer(pixels, scores);
        for (k = 0; k < classes; k++) {{
            printf("%ld\\n", (long)scores[k]);
        }}
        free(pixels);
        free(scores);
    }}
    fclose(stream);
}}

int main(void)
{{
{runs}
    return 0;
}}
"""


def test_the_macros_of_numbers_give_the_values_of_the_graph(tmp_path: Path) -> None:
    graph = of_numbers(random_graph(2))
    folder = export(graph, BOARD, tmp_path)[0].parent
    (folder / "main.c").write_text(
        '#include <stdio.h>\n#include "net.h"\n'
        "static const int exponents[NET_OUTPUTS] = NET_SCORE_EXPONENTS;\n"
        "int main(void) {\n    int32_t scores[NET_OUTPUTS];\n    unsigned k;\n"
        '    for (k = 0; k < NET_OUTPUTS; k++) { scores[k] = 3 * (int32_t)k - 7; printf("%d ", exponents[k]); }\n'
        + "".join(f'    printf("%.9g ", (double)NET_VALUE_{k}(scores));\n' for k in range(graph.head.classes))
        + "    return 0;\n}\n"
    )
    run([*compilers.host_command(), "-std=c99", *WARNINGS, "main.c", "-o", "main"], folder)
    words = subprocess.run([str(folder / "main")], timeout=60, capture_output=True, text=True).stdout.split()
    count = graph.head.classes
    assert [int(word) for word in words[:count]] == list(graph.score_exponents())
    expected = graph.values(np.array([[3 * k - 7 for k in range(count)]], np.int32))[0]
    np.testing.assert_allclose([float(word) for word in words[count:]], expected, rtol=1e-7)
