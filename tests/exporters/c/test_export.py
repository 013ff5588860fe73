from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exporters.base import exporter
from exporters.c import export
from exporters.c.export import noise
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain import __version__, profiles
from toolchain.cost.layout import layout
from toolchain.errors import InputError
from toolchain.graph import reference

GRAPH = random_graph(2)
BOARD = profiles.load("stm32f405")


def exported(folder: Path, **arguments: object) -> dict[str, str]:
    """Name and text of each file that an export writes."""
    return {path.name: path.read_text() for path in export(GRAPH, BOARD, folder, **arguments)}  # type: ignore[arg-type]


def numbers(text: str, symbol: str) -> list[int]:
    found = re.search(rf"\b{symbol}\[\d+\] = \{{(.*?)\}};", text, re.DOTALL)
    assert found is not None
    return [int(word) for word in found[1].replace(",", " ").split()]


def test_the_exporter_of_the_format_c_is_this_one() -> None:
    assert exporter("c").export is export


def test_what_is_written_is_what_is_returned(tmp_path: Path) -> None:
    written = export(GRAPH, BOARD, tmp_path)
    assert sorted(written) == sorted(path for path in (tmp_path / "c").rglob("*") if path.is_file())
    assert {"net.h", "net.c", "snn.h", "firmware.c", "startup.c", "link.ld"} <= {
        path.name for path in written
    }


def test_the_same_network_gives_the_same_text(tmp_path: Path) -> None:
    assert exported(tmp_path / "a") == exported(tmp_path / "b")


def test_version_hash_and_time_steps_are_compiled_in(tmp_path: Path) -> None:
    files = exported(tmp_path)
    assert f'"{__version__}"' in files["net.c"] and f'"{GRAPH.sha256()}"' in files["net.h"]
    digest = ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(GRAPH.sha256()))
    assert digest in files["net.c"]
    assert f"#define NET_TIME_STEPS {GRAPH.time_steps}u" in files["net.h"]


def test_the_known_answer_is_the_reference_s(tmp_path: Path) -> None:
    text = exported(tmp_path / "noise")["net.c"]
    image = noise(GRAPH)
    assert numbers(text, "net_known_image") == image.transpose(1, 2, 0).ravel().tolist()
    assert numbers(text, "net_known_scores") == reference.scores(GRAPH, image[None])[0].tolist()
    given = random_images(GRAPH, 3, seed=5)[2]
    text = exported(tmp_path / "given", known_image=given)["net.c"]
    assert numbers(text, "net_known_image") == given.transpose(1, 2, 0).ravel().tolist()
    assert numbers(text, "net_known_scores") == reference.scores(GRAPH, given[None])[0].tolist()


def test_the_header_says_how_events_become_frames(tmp_path: Path) -> None:
    graph = random_graph(2, framed=True)
    folder = export(graph, BOARD, tmp_path)[0].parent
    header, text = ((folder / name).read_text() for name in ("net.h", "net.c"))
    events, shape = graph.preprocessing.events, graph.input.shape
    assert events is not None and f"#define NET_FRAMES {graph.time_steps}u" in header
    assert f"#define NET_IMAGE_BYTES {graph.time_steps * shape.size}u" in header
    assert f"#define NET_WINDOW_US {events.window_us}u" in header and "#define NET_GAIN 3u" in header
    assert f"#define NET_SENSOR_HEIGHT {events.sensor_height}u" in header and "frame by frame" in header
    assert "int net_collect(" in header and "net_preprocess" not in header
    assert "snn_frames(" in text and "snn_pixel(" not in text
    image = noise(graph)
    assert numbers(text, "net_known_image") == image.transpose(0, 2, 3, 1).ravel().tolist()
    assert numbers(text, "net_known_scores") == reference.scores(graph, image[None])[0].tolist()
    assert "NET_FRAMES" not in exported(tmp_path / "image")["net.h"]


def test_noise_depends_on_the_network_alone() -> None:
    assert np.array_equal(noise(GRAPH), noise(random_graph(2)))
    assert noise(GRAPH).shape == GRAPH.input.extents and len(np.unique(noise(GRAPH))) > 10


def test_a_known_image_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the known image is uint8\[2, 2\]"):
        export(GRAPH, BOARD, tmp_path, known_image=np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_weights_is_refused(tmp_path: Path) -> None:
    bare = replace(GRAPH, nodes=(*GRAPH.nodes[:-1], replace(GRAPH.head, weight=None)))
    with pytest.raises(InputError, match="spikenas-deploy train"):
        export(bare, BOARD, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "prefix", ["", "Net", "9net", "net-a", "snn", "spikenas_x", "a" * 40, "net\n", "stdint", "math"]
)
def test_a_prefix_that_c_or_the_runtime_cannot_take_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(InputError, match="cannot start the network's symbols"):
        export(GRAPH, BOARD, tmp_path, prefix=prefix)


def test_a_prefix_names_files_symbols_and_macros(tmp_path: Path) -> None:
    files = exported(tmp_path, prefix="eyes")
    assert {"eyes.h", "eyes.c"} <= files.keys() and "net.h" not in files
    assert "void eyes_infer(" in files["eyes.h"] and "#define EYES_CLASSES" in files["eyes.h"]
    assert not re.search(r"\bnet_|\bNET_", "".join(files.values()))


def test_numbers_have_exponents_and_macros_instead_of_classes(tmp_path: Path) -> None:
    graph = of_numbers(GRAPH, 2)
    files = {path.name: path.read_text() for path in export(graph, BOARD, tmp_path)}
    exponent = graph.head.exponent
    assert exponent is not None
    assert f"#define NET_SCORE_EXPONENTS {{ {exponent + 3}, {exponent} }}" in files["net.h"]
    assert f"#define NET_VALUE_0(scores) ((float)(scores)[0] * {2.0 ** -(exponent + 3)!r}f)" in files["net.h"]
    assert "/** number 1: its value" in files["net.h"] and "#define NET_OUTPUTS 2u" in files["net.h"]
    assert not re.search(r"NET_CLASSES|NET_SCORE_EXPONENT\b|[Cc]lass", files["net.h"] + files["firmware.c"])


def test_labels_from_a_model_file_cannot_leave_their_comment(tmp_path: Path) -> None:
    labels = ("*/ int x; /*", "\\\n#error", *(f"class {k}" for k in range(2, GRAPH.head.classes)))
    hostile = replace(GRAPH, labels=labels)
    text = (export(hostile, BOARD, tmp_path)[0].parent / "net.h").read_text()
    comment = text[: text.index("#ifndef")]
    assert comment.count("*/") == comment.count("/*") == 1 and "#error" not in text
    numbers = replace(of_numbers(GRAPH, 2), labels=labels[:2])
    text = (export(numbers, BOARD, tmp_path)[0].parent / "net.h").read_text()
    assert text.count("*/") == text.count("/*") and "int x; /*" not in text and "#error" not in text


def test_the_linker_script_has_the_free_part_of_each_region(tmp_path: Path) -> None:
    board = profiles.load("crazyflie_2_1")
    export(GRAPH, board, tmp_path)
    script = (tmp_path / "c" / "link.ld").read_text()
    for region in board.regions:
        assert f"ORIGIN = 0x{region.available_origin:08X}, LENGTH = {region.available_bytes}\n" in script
    for item in layout(GRAPH, board).items:
        assert item.region in script


def test_a_board_that_nothing_is_built_for_gets_sources_alone(tmp_path: Path) -> None:
    export(GRAPH, BOARD, tmp_path)
    names = {path.name for path in export(GRAPH, profiles.load("esp32s3"), tmp_path)}
    assert {"net.h", "net.c", "snn.h", "snn_spike.c"} <= names
    assert not names & {"firmware.c", "startup.c", "link.ld"}
    assert {path.name for path in (tmp_path / "c").rglob("*") if path.is_file()} == names


def test_a_linux_board_gets_sources_alone(tmp_path: Path) -> None:
    names = {path.name for path in export(GRAPH, profiles.load("jetson_nano"), tmp_path)}
    assert "net.c" in names and "link.ld" not in names
