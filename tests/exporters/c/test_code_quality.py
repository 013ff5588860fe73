"""The C itself: free of warnings in every compiler, of undefined behaviour, and usable beside other C and C++."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from exporters.c import compilers, export
from exporters.c.cores import ARM, CODE, CORES, HOST, LINK
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain import profiles
from toolchain.graph import reference

BOARD = profiles.load("stm32f405")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror")
NETWORKS = 8
IMAGES = 3


def run(command: Sequence[str], folder: Path) -> str:
    outcome = compilers.run(command, folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


@pytest.mark.parametrize("core", ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_no_compiler_warns(
    tmp_path: Path,
    core: str,
    compiler: str,
    require_tool: Callable[[str], str],
    require_package: Callable[[str], None],
) -> None:
    if compiler == "zig":
        require_package("ziglang")
    folder = export(random_graph(0), BOARD, tmp_path)[0].parent
    if core == "host":
        command = compilers.arm_command("zig")[1] if compiler == "zig" else [require_tool("gcc")]
        flags, bare_metal = [*HOST], {"firmware.c", "startup.c"}
    else:
        if compiler == "gcc":
            require_tool("arm-none-eabi-gcc")
        chosen, command = compilers.arm_command("zig" if compiler == "zig" else "gcc")
        flags, bare_metal = (
            [*ARM[chosen], f"-mcpu={CORES[core][chosen]}", *CODE, *LINK, "-T", "link.ld"],
            set(),
        )
    sources = sorted(path.name for path in folder.glob("*.c") if path.name not in bare_metal)
    run([*command, *flags, *WARNINGS, *sources, "-o", str(tmp_path / "linked")], folder)
    example = ["-c", "examples/console_main.c", "-o", str(tmp_path / "example.o")]
    compile_only = [flag for flag in flags if flag not in LINK and flag not in ("-shared", "-T", "link.ld")]
    run([*command, *compile_only, *WARNINGS, "-I.", *example], folder)


def test_addresses_and_arithmetic_are_clean_under_the_sanitizers(
    tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    """AddressSanitizer and UndefinedBehaviorSanitizer watch networks run, from buffers of exactly their size."""
    graphs = [random_graph(seed) for seed in range(100, 100 + NETWORKS)]
    lines, sources, expected = [], [], []
    for index, graph in enumerate(graphs):
        prefix = f"net{index}"
        folder = export(graph, BOARD, tmp_path / prefix, prefix=prefix)[0].parent
        sources.append(str(folder / f"{prefix}.c"))
        images = random_images(graph, IMAGES, seed=index)
        expected += reference.scores(graph, images).ravel().tolist()
        (tmp_path / f"{prefix}.bin").write_bytes(np.moveaxis(images, -3, -1).tobytes())
        lines.append(f'    run("{prefix}.bin", {prefix}_infer, {graph.input.size}, {graph.head.classes});')
    includes = "\n".join(f'#include "net{index}/c/net{index}.h"' for index in range(NETWORKS))
    (tmp_path / "main.c").write_text(HARNESS.format(includes=includes, images=IMAGES, runs="\n".join(lines)))
    kernels = sorted(str(path) for path in (tmp_path / "net0" / "c").glob("snn_*.c"))
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-std=c99"]
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


def test_two_networks_live_in_one_image_and_cpp_includes_them(tmp_path: Path) -> None:
    command = (
        [program] if (program := shutil.which("g++")) else [*compilers.arm_command("zig")[1][:-1], "c++"]
    )
    for prefix, seed in (("eyes", 1), ("ears", 2)):
        export(random_graph(seed), BOARD, tmp_path / prefix, prefix=prefix)
    (tmp_path / "main.cpp").write_text(
        '#include "eyes/c/eyes.h"\n#include "ears/c/ears.h"\n#include "eyes/c/spikenas_console.h"\n'
        "int main() {\n"
        "    static int32_t eyes[EYES_CLASSES], ears[EARS_CLASSES];\n"
        "    return eyes_self_test(eyes) && ears_self_test(ears) && eyes_info.time_steps == EYES_TIME_STEPS ? 0 : 1;\n"
        "}\n"
    )
    objects = []
    for source in [*sorted((tmp_path / "eyes" / "c").glob("snn_*.c")), *tmp_path.glob("*/c/e*s.c")]:
        objects.append(str(tmp_path / f"{source.stem}.o"))
        run([*compilers.host_command(), "-std=c99", "-c", str(source), "-o", objects[-1]], tmp_path)
    run([*command, "-Wall", "-Wextra", "-Werror", "main.cpp", *objects, "-o", "main"], tmp_path)
    assert subprocess.run([str(tmp_path / "main")], timeout=60).returncode == 0


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
