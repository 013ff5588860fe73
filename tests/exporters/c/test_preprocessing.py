"""The preprocessing functions in C: bit for bit what the loader makes of the same frame or events."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exporters.c import compilers, export
from exporters.c.build import build_host
from exporters.c.cores import HOST
from exporters.c.preprocessing import quotient
from tests.support.bare import Bare, link
from tests.support.graphs import random_graph
from toolchain import profiles
from toolchain.cost.code_size import Compiler
from toolchain.graph.events import Events
from toolchain.graph.graph import Graph
from toolchain.graph.preprocessing import Channels, Crop, Preprocessing

BOARD = profiles.load("stm32f405")
RUNTIME = Path(__file__).parents[3] / "exporters" / "c" / "runtime"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Wpedantic", "-Werror")

FORMATS = ("grey8", "rgb888", "rgb565_le", "rgb565_be", "interleaved", "planes")
"""In the order of ``enum snn_format``."""

CONVERSIONS = ("grey", "rgb", "as_is")
"""In the order of ``enum snn_channels``."""

Pixels = NDArray[np.uint8]
Tools = Callable[[str], str]


class Frame(ctypes.Structure):
    """``snn_frame``."""

    _fields_ = (
        ("pixels", ctypes.c_void_p),
        ("row_bytes", ctypes.c_uint32),
        ("height", ctypes.c_uint16),
        ("width", ctypes.c_uint16),
        ("format", ctypes.c_uint8),
    )


class ImageShape(ctypes.Structure):
    """``snn_image_shape``."""

    _fields_ = (
        ("height", ctypes.c_uint16),
        ("width", ctypes.c_uint16),
        ("channels", ctypes.c_uint16),
        ("conversion", ctypes.c_uint8),
        ("crop", ctypes.c_uint8),
    )


@dataclass(frozen=True)
class Shot:
    """What a camera delivered: ``memory`` as the firmware sees it, ``image`` as the loader does."""

    memory: bytes
    row_bytes: int
    height: int
    width: int
    format: int
    image: Pixels


def shot(
    rng: np.random.Generator, height: int, width: int, wanted: str, channels: int, gap: int, extreme: bool
) -> Shot:
    """Random pixels, or nothing but 0 and 255, with ``gap`` bytes between the rows and none behind the last."""
    count = {"grey8": 1, "interleaved": channels, "planes": channels}.get(wanted, 3)
    pixels = rng.integers(0, 256, (height, width, count), np.uint8)
    pixels = pixels // 128 * np.uint8(255) if extreme else pixels
    lines = pixels.reshape(height, -1)
    image = pixels[:, :, 0] if wanted == "grey8" else pixels
    if wanted.startswith("rgb565"):
        red, green, blue = (pixels[:, :, k].astype(int) for k in range(3))
        words = red >> 3 << 11 | green >> 2 << 5 | blue >> 3
        lines = words.astype("<u2" if wanted.endswith("le") else ">u2").view(np.uint8).reshape(height, -1)
        # Repeated bits, from the definition: bit k of a byte is bit k of the pattern written over and over.
        bytes_of = [
            [int((f"{value:0{bits}b}" * 2)[:8], 2) for value in range(1 << bits)] for bits in (5, 6, 5)
        ]
        fields = (words >> 11, words >> 5 & 63, words & 31)
        image = np.stack([np.array(table)[f] for table, f in zip(bytes_of, fields, strict=True)], 2)
        image = image.astype(np.uint8)
    elif wanted == "planes":
        lines = np.concatenate(list(np.moveaxis(pixels, 2, 0)))
    if wanted in ("interleaved", "planes"):
        image = np.moveaxis(pixels, 2, 0)
    padded = np.pad(lines, [(0, 0), (0, gap)], constant_values=99)
    row_bytes = padded.shape[1]
    return Shot(padded.tobytes()[: padded.size - gap], row_bytes, height, width, FORMATS.index(wanted), image)


def expected(steps: Preprocessing, taken: Shot) -> Pixels:
    """What the loader makes of it, channels last."""
    image = taken.image
    if steps.channels == "as_is" and image.ndim == 2:
        image = image[np.newaxis]
    elif steps.channels == "as_is" and taken.format in (1, 2, 3):
        image = np.moveaxis(image, 2, 0)
    return np.ascontiguousarray(np.moveaxis(steps.apply(image), 0, 2))


@cache
def library() -> ctypes.CDLL:
    """The camera's functions for this machine."""
    target = Path(mkdtemp(prefix="spikenas-camera-")) / "libcamera.so"
    sources = [str(RUNTIME / "snn_camera.c")]
    done = compilers.run([*compilers.host_command(), *HOST, *sources, "-o", str(target)], target.parent)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(target))


def camera_image(taken: Shot, shape: ImageShape) -> tuple[int, Pixels]:
    """What ``snn_camera_image`` returns and writes; 77 stands where it wrote nothing."""
    memory = ctypes.create_string_buffer(taken.memory, len(taken.memory))
    frame = Frame(ctypes.addressof(memory), taken.row_bytes, taken.height, taken.width, taken.format)
    image = np.full((shape.height, shape.width, shape.channels), 77, np.uint8)
    function = library().snn_camera_image
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ImageShape)
    return function(ctypes.byref(frame), image.ctypes.data, shape), image


def image_shape(steps: Preprocessing, channels: int) -> ImageShape:
    crop = get_args(Crop).index(steps.crop)
    return ImageShape(steps.height, steps.width, channels, CONVERSIONS.index(steps.channels), crop)


SIDES = st.one_of(st.integers(1, 12), st.sampled_from([16, 31, 32, 60, 97]))


@settings(max_examples=200)
@given(
    height=SIDES,
    width=SIDES,
    target=st.tuples(SIDES, SIDES),
    conversion=st.sampled_from(CONVERSIONS),
    crop=st.sampled_from(get_args(Crop)),
    wanted=st.sampled_from(FORMATS),
    planes=st.integers(1, 5),
    gap=st.integers(0, 3),
    seed=st.integers(0, 1 << 30),
    extreme=st.booleans(),
)
@example(1, 1, (1, 1), "grey", "none", "grey8", 1, 0, 0, True)
@example(97, 3, (31, 97), "rgb", "none", "rgb565_le", 3, 2, 1, True)
def test_every_frame_becomes_the_loader_s_image(
    height: int,
    width: int,
    target: tuple[int, int],
    conversion: Channels,
    crop: Literal["none", "centre_square"],
    wanted: str,
    planes: int,
    gap: int,
    seed: int,
    extreme: bool,
) -> None:
    steps = Preprocessing(*target, conversion, crop)
    channels = steps.planes or {"grey8": 1}.get(wanted, 3 if wanted.startswith("rgb") else planes)
    assume(conversion == "as_is" or wanted not in ("interleaved", "planes"))
    taken = shot(np.random.default_rng(seed), height, width, wanted, channels, gap, extreme)
    done, image = camera_image(taken, image_shape(steps, channels))
    assert done == 1
    assert np.array_equal(image, expected(steps, taken))


def test_a_frame_of_a_camera_s_size_becomes_the_loader_s_image() -> None:
    rng = np.random.default_rng(3)
    for steps in (Preprocessing(28, 28, "grey", "centre_square"), Preprocessing(32, 32, "rgb")):
        for height, width, wanted in ((240, 320, "rgb565_be"), (324, 244, "grey8"), (480, 640, "rgb888")):
            taken = shot(rng, height, width, wanted, 3, 0, False)
            done, image = camera_image(taken, image_shape(steps, steps.planes or 0))
            assert done == 1 and np.array_equal(image, expected(steps, taken)), (steps, wanted)


def test_the_largest_sum_does_not_wrap() -> None:
    """White, with as many pixels as are allowed, on the smallest image there is: 255 * 2^24 + 2^23 is below 2^32."""
    white = Shot(b"\xff" * (1 << 24), 1 << 12, 1 << 12, 1 << 12, 0, np.zeros((1, 1), np.uint8))
    done, image = camera_image(white, ImageShape(1, 1, 1, 0, 0))
    assert done == 1 and image.ravel().tolist() == [255]


def test_what_cannot_become_an_image_is_refused_and_nothing_is_written() -> None:
    grey, rgb, as_is = range(3)
    good = shot(np.random.default_rng(0), 4, 4, "grey8", 1, 0, False)
    for change, shape in (
        ({"height": 0}, ImageShape(2, 2, 1, grey, 0)),
        ({"width": 0}, ImageShape(2, 2, 1, grey, 1)),
        # Were they read, these would end the process: there are 16 bytes.
        ({"height": 4097, "width": 4096}, ImageShape(2, 2, 1, grey, 0)),
        ({"height": 65535, "width": 65535}, ImageShape(2, 2, 1, grey, 1)),
        ({"format": 6}, ImageShape(2, 2, 1, grey, 0)),
        ({"format": FORMATS.index("planes")}, ImageShape(2, 2, 3, rgb, 0)),
        ({"format": FORMATS.index("interleaved")}, ImageShape(2, 2, 1, grey, 0)),
        ({}, ImageShape(2, 2, 2, as_is, 0)),
        ({"format": FORMATS.index("rgb888")}, ImageShape(2, 2, 1, as_is, 0)),
    ):
        done, image = camera_image(replace(good, **change), shape)  # type: ignore[arg-type]
        assert done == 0 and (image == 77).all(), change
    assert camera_image(good, ImageShape(2, 2, 1, as_is, 0))[0] == 1


def pictured(channels: Channels, crop: Literal["none", "centre_square"] = "none", seed: int = 1) -> Graph:
    """A random network that sees images of other preprocessing; its first layer takes what channels there are."""
    for candidate in range(seed, seed + 200):
        graph = random_graph(candidate)
        planes = graph.input.shape.channels
        if planes == {"grey": 1, "rgb": 3}.get(channels, planes):
            shape = graph.input.shape
            return replace(graph, preprocessing=Preprocessing(shape.height, shape.width, channels, crop))
    raise AssertionError(f"no random network of {channels} within 200")


NETWORKS = {
    "grey": pictured("grey", "centre_square"),
    "rgb": pictured("rgb"),
    "planes": pictured("as_is", "centre_square"),
}


def test_a_network_s_own_function_makes_its_image(tmp_path: Path) -> None:
    """Each network's steps are compiled into its function, which works beside those of the others."""
    folders = [
        export(graph, BOARD, tmp_path / name, prefix=name)[0].parent for name, graph in NETWORKS.items()
    ]
    made = ctypes.CDLL(str(build_host(folders)))
    rng = np.random.default_rng(0)
    for name, graph in NETWORKS.items():
        channels = graph.input.shape.channels
        for wanted in ("interleaved", "planes") if name == "planes" else FORMATS[:4]:
            taken = shot(rng, 25, 19, wanted, channels, 2, False)
            frame = Frame(0, taken.row_bytes, taken.height, taken.width, taken.format)
            memory = ctypes.create_string_buffer(taken.memory, len(taken.memory))
            frame.pixels = ctypes.addressof(memory)
            image = np.zeros(graph.input.size, np.uint8)
            assert getattr(made, f"{name}_preprocess")(
                ctypes.byref(frame), ctypes.c_void_p(image.ctypes.data)
            )
            assert np.array_equal(image, expected(graph.preprocessing, taken).ravel()), (name, wanted)


CASES = """\
#include <stdio.h>
#include <stdlib.h>
#include "snn_camera.h"

/* Cases on the standard input: frame, shape and bytes of memory as words, then the memory; images come out. */
int main(void)
{
    uint32_t words[9];

    while (fread(words, sizeof words, 1, stdin) == 1) {
        const snn_image_shape shape = {
            (uint16_t)words[4], (uint16_t)words[5], (uint16_t)words[6], (uint8_t)words[7], (uint8_t)(words[7] >> 8)};
        const size_t size = (size_t)words[4] * words[5] * words[6];
        uint8_t *pixels = malloc(words[8]), *image = malloc(size);
        const snn_frame frame = {pixels, words[0], (uint16_t)words[1], (uint16_t)words[2], (uint8_t)words[3]};

        if (!pixels || !image || fread(pixels, 1, words[8], stdin) != words[8]) {
            return 2;
        }
        if (!snn_camera_image(&frame, image, shape)) {
            return 3;
        }
        fwrite(image, 1, size, stdout);
        free(pixels);
        free(image);
    }
    return 0;
}
"""


def test_no_byte_beside_frame_and_image_is_touched(tmp_path: Path, require_tool: Tools) -> None:
    """AddressSanitizer and UndefinedBehaviorSanitizer watch, with buffers of exactly their size."""
    (tmp_path / "main.c").write_text(CASES)
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-std=c99"]
    sources = [str(RUNTIME / "snn_camera.c"), "main.c"]
    program = [require_tool("gcc"), *sanitizers, *WARNINGS, f"-I{RUNTIME}", *sources, "-o", "main"]
    done = compilers.run(program, tmp_path)
    assert done.returncode == 0, done.stderr
    rng, cases, wanted_images = np.random.default_rng(9), b"", b""
    for index in range(300):
        wanted, conversion = FORMATS[index % 6], CONVERSIONS[index // 6 % 3]
        if wanted in ("interleaved", "planes"):
            conversion = "as_is"
        height, width, target_height, target_width = (int(side) for side in rng.integers(1, 20, 4))
        crop = get_args(Crop)[index % 2]
        steps = Preprocessing(target_height, target_width, conversion, crop)  # type: ignore[arg-type]
        channels = steps.planes or {"grey8": 1, "interleaved": 4, "planes": 2}.get(wanted, 3)
        taken = shot(rng, height, width, wanted, channels, index % 3, False)
        shape = image_shape(steps, channels)
        words = (taken.row_bytes, height, width, taken.format, shape.height, shape.width, channels)
        cases += struct.pack("<9I", *words, shape.conversion | shape.crop << 8, len(taken.memory))
        cases += taken.memory
        wanted_images += expected(steps, taken).tobytes()
    found = subprocess.run([str(tmp_path / "main")], input=cases, capture_output=True, timeout=60)
    assert found.returncode == 0, found.stderr.decode()
    assert found.stdout == wanted_images


def framed(seed: int, **fields: int) -> Graph:
    """A random network of frames of events, with some fields of its events changed."""
    graph = random_graph(seed, framed=True)
    events = graph.preprocessing.events
    assert events is not None
    steps = replace(graph.preprocessing, events=replace(events, **fields))
    return replace(graph, preprocessing=steps)


EVENTFUL = {
    "plain": framed(2),
    "gesture": framed(3, sensor_height=128, sensor_width=128, window_us=6_500_001, gain=20),
    "wide": framed(4, sensor_height=720, sensor_width=1280, window_us=5_000_000_000, gain=255),
    "small": framed(5, sensor_height=1, sensor_width=3, window_us=9, gain=1),
}


def random_events(graph: Graph, count: int, seed: int) -> Events:
    """Events all over the sensor and the window, and at their corners."""
    events, rng = graph.preprocessing.events, np.random.default_rng(seed)
    assert events is not None
    drawn = [
        np.append(rng.integers(0, limit, count), [0, limit - 1])
        for limit in (events.sensor_width, events.sensor_height, 2, events.window_us)
    ]
    starts = np.arange(events.frames) * events.window_us // events.frames
    # The microseconds around the begin of each frame.
    for index, time in enumerate(np.clip(np.append(starts, starts + 1), 0, events.window_us - 1)):
        drawn[3][index % count] = time
    return Events(*drawn, 0, events.window_us)


def test_collected_events_are_the_loader_s_frames(tmp_path: Path) -> None:
    folders = [
        export(graph, BOARD, tmp_path / name, prefix=name)[0].parent for name, graph in EVENTFUL.items()
    ]
    made = ctypes.CDLL(str(build_host(folders)))
    for name, graph in EVENTFUL.items():
        steps, collect = graph.preprocessing, getattr(made, f"{name}_collect")
        assert steps.events is not None
        time_type = ctypes.c_uint64 if steps.events.window_us >= 1 << 32 else ctypes.c_uint32
        collect.argtypes = (ctypes.c_void_p, *[ctypes.c_uint32] * 3, time_type)
        events = random_events(graph, 2000, seed=1)
        image = np.zeros(graph.input.size, np.uint8)
        for x, y, polarity, time in zip(events.x, events.y, events.polarity, events.time_us, strict=True):
            assert collect(image.ctypes.data, int(x), int(y), int(polarity), int(time)) == 1
        wanted = steps.events.pixels(steps.events.counts(events, steps.height, steps.width))
        assert np.array_equal(image, np.moveaxis(wanted, 1, 3).ravel()), name
        before = image.copy()
        sensor = (steps.events.sensor_width, steps.events.sensor_height)
        for beside in (
            (sensor[0], 0, 0, 0),
            (0, sensor[1], 0, 0),
            (0, 0, 2, 0),
            (0, 0, 0, steps.events.window_us),
        ):
            assert collect(image.ctypes.data, *beside) == 0
        assert np.array_equal(image, before)


@given(
    numerator=st.integers(1, 4096),
    denominator=st.integers(1, 4096),
)
@example(3, 3)
@example(4093, 4095)
def test_quotients_are_exact(numerator: int, denominator: int) -> None:
    expression = quotient("v", numerator, denominator, denominator).replace("u", "").replace("/", "//")
    values = np.arange(denominator)
    wrapped = {"v": values}
    product = eval(expression.split(">>")[0].split("//")[0], {}, wrapped)  # noqa: S307
    assert (np.asarray(product) < 1 << 32).all()
    assert np.array_equal(eval(expression, {}, wrapped), values * numerator // denominator)  # noqa: S307


def test_usual_sensors_need_no_division() -> None:
    for sensor in (34, 128, 180, 240, 260, 346, 480, 640, 720, 1280):
        assert not [side for side in range(1, 257) if "/" in quotient("x", side, sensor, sensor)], sensor


CALLED = """
int gesture_event(const uint32_t *words, uint8_t *image);
int gesture_event(const uint32_t *words, uint8_t *image)
{
    return gesture_collect(image, words[0], words[1], words[2], words[3]);
}

void *volatile keep;
int main(void)
{
    keep = (void *)rgb_preprocess;
    keep = (void *)grey_preprocess;
    keep = (void *)gesture_event;
    return 0;
}
"""


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_cores_make_the_loader_s_images(
    tmp_path: Path, core: str, compiler: Compiler, require_tool: Tools, require_package: Tools
) -> None:
    """Linked without any library, so that nothing divides or allocates behind the sources' back."""
    require_package("unicorn")
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    graphs = {"rgb": NETWORKS["rgb"], "grey": NETWORKS["grey"], "gesture": EVENTFUL["gesture"]}
    folders = [export(graph, BOARD, tmp_path / name, prefix=name)[0].parent for name, graph in graphs.items()]
    sources = [folder / f"{name}_preprocess.c" for name, folder in zip(graphs, folders, strict=True)]
    main = "".join(f'#include "{name}.h"\n' for name in graphs) + CALLED
    elf = link(tmp_path, core, compiler, [*sources, folders[0] / "snn_camera.c"], main)
    board, rng = Bare(elf, core), np.random.default_rng(1)
    for name, wanted in (("rgb", "rgb565_be"), ("rgb", "grey8"), ("grey", "rgb888"), ("grey", "rgb565_le")):
        steps, size = graphs[name].preprocessing, graphs[name].input.size
        taken = shot(rng, 33, 47, wanted, 3, 1, False)
        pixels, image = board.buffer(taken.memory), board.buffer(bytes(size))
        words = struct.pack("<IIHHBxxx", pixels, taken.row_bytes, taken.height, taken.width, taken.format)
        assert board.call(f"{name}_preprocess", board.buffer(words), image) == 1
        assert board.read(image, size) == expected(steps, taken).tobytes(), (name, wanted)
    graph = graphs["gesture"]
    events = random_events(graph, 50, seed=2)
    image, words_at = board.buffer(bytes(graph.input.size)), board.buffer(bytes(16))
    for event in zip(events.x, events.y, events.polarity, events.time_us, strict=True):
        board.core.mem_write(words_at, struct.pack("<4I", *map(int, event)))
        assert board.call("gesture_event", words_at, image) == 1
    steps = graph.preprocessing
    assert steps.events is not None
    wanted_image = steps.events.pixels(steps.events.counts(events, steps.height, steps.width))
    assert board.read(image, graph.input.size) == np.moveaxis(wanted_image, 1, 3).tobytes()
