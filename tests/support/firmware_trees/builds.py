"""How each integration is built and run, from its exported folder: what it tells on its console, and its scores.

Each function may be called again after the exported files have changed, and builds what is needed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from tests.support.firmware_trees import HERE, Board, application
from toolchain import profiles
from toolchain.graph.graph import Graph

WARNINGS = ("-Wall", "-Wextra", "-Werror")
Images = NDArray[np.uint8]
Outcome = tuple[str, NDArray[np.int32]]
Build = Callable[[Path, Path, Graph, Images], Outcome]


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What ``command`` says; it must end well, and without a warning."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0 and "warning" not in done.stderr.lower(), done.stdout + done.stderr
    return done.stdout


def write(path: Path, text: str) -> None:
    """Write ``text`` unless it is there already, so that nothing is built a second time for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def crazyflie(folder: Path, work: Path, graph: Graph, images: Images) -> Outcome:
    """The image ``build/cf2.elf``, on an emulated STM32F405."""
    project = folder / "crazyflie"
    write(project / "src" / "net_application.c", application(graph, images))
    run(["make", "-j2", f"CRAZYFLIE_BASE={HERE / 'crazyflie'}"], project)
    board = Board(project / "build" / "cf2.elf", profiles.load("stm32f405"))
    return board.said, board.scores(graph.head.classes)


def crazyflie_console(folder: Path, work: Path, received: bytes) -> tuple[str, bytes]:
    """What the application with a console tells, and what it answers to ``received``."""
    project = folder / "crazyflie"
    run(["make", "-j2", f"CRAZYFLIE_BASE={HERE / 'crazyflie'}", "CONSOLE=uart1"], project)
    board = Board(project / "build" / "cf2.elf", profiles.load("stm32f405"), received)
    return board.said, board.sent


def px4(folder: Path, work: Path, graph: Graph, images: Images) -> Outcome:
    """The image ``px4.elf``, on an emulated STM32H743."""
    project = folder / "px4"
    write(project / "src" / "modules" / "spikenas_net" / "net_application.c", application(graph, images))
    cmake_build(HERE / "px4", work, f"-DEXTERNAL_MODULES_LOCATION={project}")
    board = Board(work / "px4.elf", profiles.load("stm32h743"))
    return board.said, board.scores(graph.head.classes)


def px4_console(folder: Path, work: Path, received: bytes) -> tuple[str, bytes]:
    """What the module's command `console` tells, and what it answers to ``received``."""
    cmake_build(HERE / "px4", work, f"-DEXTERNAL_MODULES_LOCATION={folder / 'px4'}")
    board = Board(work / "px4.elf", profiles.load("stm32h743"), received)
    return board.said, board.sent


def arduino_console(folder: Path, work: Path, received: bytes) -> tuple[str, bytes]:
    """What the example sketch tells, and what it answers to ``received``."""
    (library,) = (folder / "arduino").iterdir()
    program = _sketch(library, next(library.glob("examples/*/*.ino")).read_text(), work)
    done = subprocess.run([program], input=received, capture_output=True, timeout=60, check=True)
    said, _, sent = done.stdout.partition(b"\r\n")
    return said.decode(), sent


def cmake(folder: Path, work: Path, graph: Graph, images: Images) -> Outcome:
    """A C++ program for this machine."""
    write(work / "main.cpp", _main(images, self_test=True))
    write(
        work / "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.13)\nproject(app LANGUAGES CXX)\n"
        'set(CMAKE_C_FLAGS "-Wall -Wextra -Werror")\nset(CMAKE_CXX_FLAGS "-Wall -Wextra -Werror")\n'
        f'add_subdirectory("{folder}" net)\nadd_executable(app main.cpp)\n'
        "target_link_libraries(app PRIVATE spikenas::net)\n",
    )
    cmake_build(work, work / "build")
    return _read(run([work / "build" / "app"], work), graph)


def zephyr(folder: Path, work: Path, graph: Graph, images: Images) -> Outcome:
    """A program for this machine, as Zephyr's native_sim is one."""
    module = yaml.safe_load((folder / "zephyr" / "module.yml").read_text())
    options = {"CONFIG_SPIKENAS_NET": "1", "CONFIG_APPLICATION_INIT_PRIORITY": "90"}
    options |= _kconfig_defaults((folder / module["build"]["kconfig"]).read_text())
    write(work / "main.c", _main(images, self_test=False))
    settings = [f"-D{name}={value}" for name, value in options.items()]
    settings += [f"-DMODULE_CMAKE={folder / module['build']['cmake']}", f"-DAPPLICATION={work / 'main.c'}"]
    cmake_build(HERE / "zephyr", work / "build", *settings)
    return _read(run([work / "build" / "app"], work), graph)


def arduino(folder: Path, work: Path, graph: Graph, images: Images) -> Outcome:
    """The example sketch with a camera, as C++ for this machine."""
    (library,) = (folder / "arduino").iterdir()
    (sketch,) = library.glob("examples/*/*.ino")
    camera = (
        f"    static const uint8_t images[{len(images)}][NET_IMAGE_BYTES] = {_rows(images)};\n"
        "    static unsigned asked;\n"
        f"    if (asked == {len(images)}) return false;\n"
        "    for (unsigned k = 0; k < NET_IMAGE_BYTES; k++) pixels[k] = images[asked][k];\n"
        "    asked++;\n    return true;\n"
    )
    given = "    (void)pixels;\n    return false;\n"
    text = sketch.read_text()
    assert text.count(given) == 1 and sketch.stem == sketch.parent.name
    said = run([_sketch(library, text.replace(given, camera), work)], work)
    lines = [line.split() for line in said.splitlines()[1:]]
    assert all(line[-1] == "us" for line in lines)
    return said, np.array([line[:-2] for line in lines], np.int32).reshape(-1, graph.head.classes)


def platformio(folder: Path, work: Path, graph: Graph, images: Images) -> Outcome:
    """A program for this machine, of the sources that the manifest chooses."""
    manifest = json.loads((folder / "library.json").read_text())
    build = manifest["build"]
    root = folder / build["srcDir"]
    sources: set[Path] = set()
    for rule in build["srcFilter"]:
        matching = {
            path for path in root.rglob("*.[cS]") if fnmatch(path.relative_to(root).as_posix(), rule[2:-1])
        }
        sources = sources | matching if rule[0] == "+" else sources - matching
    write(work / "main.c", _main(images, self_test=True).replace("net.h", manifest["headers"]))
    _compile(
        [*sorted(sources), work / "main.c"], [f"-I{folder / build['includeDir']}", *build["flags"]], work
    )
    run(["gcc", *sorted(work.glob("*.o")), "-o", work / "program"], work)
    return _read(run([work / "program"], work), graph)


BUILDS: dict[str, Build] = {
    build.__name__: build for build in (cmake, crazyflie, px4, zephyr, arduino, platformio)
}


CONSOLES = {"crazyflie": crazyflie_console, "px4": px4_console, "arduino": arduino_console}
"""The integrations that have a console, and how it is talked to."""


def cmake_build(source: Path, build: Path, *settings: str) -> None:
    """Configure and build with ninja."""
    run(["cmake", "-G", "Ninja", "-S", source, "-B", build, *settings], source)
    run(["cmake", "--build", build, "-j", "2"], source)


def _sketch(library: Path, text: str, work: Path) -> Path:
    """The program of a sketch that uses ``library``: a sketch is C++ behind an #include of Arduino.h."""
    write(work / "sketch.cpp", "#include <Arduino.h>\n" + text)
    _compile(sorted((library / "src").rglob("*.c")), [f"-I{library / 'src'}"], work)
    includes = [f"-I{library / 'src'}", f"-I{HERE / 'arduino'}"]
    sources = [work / "sketch.cpp", HERE / "arduino" / "main.cpp"]
    run(["g++", *WARNINGS, *includes, *sources, *sorted(work.glob("*.o")), "-o", work / "sketch"], work)
    return work / "sketch"


def _compile(sources: Sequence[Path], flags: Sequence[str], work: Path) -> None:
    for old in work.glob("*.o"):
        old.unlink()
    run(["gcc", "-std=c99", *WARNINGS, *flags, "-c", *sources], work)


def _kconfig_defaults(text: str) -> dict[str, str]:
    """Options that are on unless somebody switches them off."""
    found, name = {}, ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] in (["config"], ["menuconfig"]):
            name = f"CONFIG_{words[1]}"
        if words == ["default", "y"]:
            found[name] = "1"
    return found


def _rows(images: Images) -> str:
    pixels = np.moveaxis(images, -3, -1).reshape(len(images), -1).tolist()
    return "{" + ", ".join("{" + ", ".join(map(str, row)) + "}" for row in pixels) + "}"


def _main(images: Images, *, self_test: bool) -> str:
    """A program in what C and C++ share: the self-test, then the scores of ``images``, a line each."""
    test = (
        'printf("self-test %s, network %s\\n", passed ? "passed" : "FAILED", NET_SHA256);'
        if self_test
        else ""
    )
    return f"""#include <stdio.h>
#include "net.h"
static const uint8_t images[{len(images)}][NET_IMAGE_BYTES] = {_rows(images)};
int main(void)
{{
    static int32_t scores[NET_CLASSES];
    const int passed = net_self_test(scores);
    unsigned i, k;
    {test}
    for (i = 0; passed && i < {len(images)}; i++) {{
        net_infer(images[i], scores);
        for (k = 0; k < NET_CLASSES; k++) {{ printf("%ld ", (long)scores[k]); }}
        printf("\\n");
    }}
    return 0;
}}
"""


def _read(said: str, graph: Graph) -> Outcome:
    rows = [line.split() for line in said.splitlines()[1:]]
    return said, np.array(rows, np.int32).reshape(-1, graph.head.classes)
