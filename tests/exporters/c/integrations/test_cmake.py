"""The CMake target: cross-compiled, twice in one program, and as ESP-IDF's component."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.c import export
from tests.support.firmware_trees.builds import cmake_build, run
from tests.support.graphs import random_graph
from toolchain import profiles

BOARD = profiles.load("stm32f405")
CROSS = """
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
string(APPEND CMAKE_C_FLAGS_INIT " -ffreestanding -Wall -Wextra -Werror")
"""
TWO = """
cmake_minimum_required(VERSION 3.13)
project(app LANGUAGES CXX)
add_subdirectory(eyes/c eyes)
add_subdirectory(ears/c ears)
add_executable(app main.cpp)
target_link_libraries(app PRIVATE spikenas::eyes spikenas::ears)
"""
MAIN = """
#include "eyes.h"
#include "ears.h"
int main()
{
    static int32_t eyes[EYES_CLASSES], ears[EARS_CLASSES];
    int (*volatile seen)(const snn_frame *, uint8_t *) = eyes_preprocess;
    seen = ears_preprocess;
    return eyes_self_test(eyes) && ears_self_test(ears) ? 0 : 1;
}
"""


@pytest.fixture(autouse=True)
def tools(require_tool: Callable[[str], str]) -> None:
    for name in ("cmake", "ninja", "g++"):
        require_tool(name)


def test_it_is_cross_compiled_alone(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    require_tool("arm-none-eabi-gcc")
    folder = export(random_graph(0), BOARD, tmp_path)[0].parent
    (tmp_path / "cortex_m4.cmake").write_text(CROSS)
    build = tmp_path / "build"
    cmake_build(folder, build, f"-DCMAKE_TOOLCHAIN_FILE={tmp_path / 'cortex_m4.cmake'}")
    found = run(["arm-none-eabi-readelf", "-A", "-s", "libspikenas_net.a", "libspikenas_kernels.a"], build)
    assert "Tag_CPU_arch: v7E-M" in found and "VFP registers" in found
    assert " net_infer\n" in found and " snn_spike_8\n" in found
    # What makes a bare-metal image is none of the library's.
    assert "Reset_Handler" not in found and "spikenas_main" not in found


def test_two_networks_share_the_kernels_of_one_program(tmp_path: Path) -> None:
    for prefix, seed in (("eyes", 1), ("ears", 2)):
        export(random_graph(seed), BOARD, tmp_path / prefix, prefix=prefix)
    (tmp_path / "CMakeLists.txt").write_text(TWO)
    (tmp_path / "main.cpp").write_text(MAIN)
    cmake_build(tmp_path, tmp_path / "build")
    run([tmp_path / "build" / "app"], tmp_path)

    other = tmp_path / "ears" / "c" / "CMakeLists.txt"
    other.write_text(other.read_text().replace('"0.', '"9.'))
    done = subprocess.run(["cmake", "build"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "export both again with one version" in " ".join(done.stderr.split())


def test_esp_idf_gets_a_component(tmp_path: Path) -> None:
    """ESP-IDF reads a component's file twice, once as a script, in which there are no targets."""
    folder = export(random_graph(0), profiles.load("esp32s3"), tmp_path)[0].parent
    (tmp_path / "idf.cmake").write_text(
        "set(ESP_PLATFORM 1)\n"
        "function(idf_component_register)\n"
        '  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "SRCS;INCLUDE_DIRS")\n'
        "  if(arg_UNPARSED_ARGUMENTS)\n    message(FATAL_ERROR unknown)\n  endif()\n"
        '  message(STATUS "component ${arg_SRCS} in ${arg_INCLUDE_DIRS}")\n'
        "endfunction()\n"
        f'include("{folder}/CMakeLists.txt")\n'
    )
    sources = ";".join(sorted(path.name for path in folder.glob("*.c")))
    assert f"component {sources} in ." in run(["cmake", "-P", "idf.cmake"], tmp_path)
