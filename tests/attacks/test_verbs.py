"""Broken, truncated and hostile artifacts through ``inspect``, ``check`` and ``verify``: one sentence, exit 3, at once.

Every command runs in a process that is killed above 1 GiB or 5 seconds (``limited``).
"""

from __future__ import annotations

import os
import random
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.hostile import MODELS, make_run, message, onnx_of, run_with, shared_names, small_onnx
from tests.attacks.limited import GIBI, Outcome, outcomes

EMULATION = 32 * GIBI
"""Address space where firmware may come to run: unicorn reserves a gibibyte each time, and uses little of it."""

LINUX, MICRO = "raspberry_pi_4b", "stm32f405"
NETWORK, FIRMWARE = (*MODELS, "model.json", "model.safetensors"), ("firmware.elf",)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    return make_run(tmp_path_factory.mktemp("attacks") / "run", firmware=True)


def content(run: Path, name: str) -> bytes:
    path = run / name
    return (path if path.exists() else run / "artifacts" / name).read_bytes()


def file(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    return folder / name


def reading(path: Path) -> list[list[object]]:
    """The commands that read a file."""
    board = LINUX if path.suffix in (".onnx", ".tflite") else MICRO
    commands: list[list[object]] = [["inspect", path]]
    if path.suffix in (".onnx", ".tflite", ".elf", ".bin"):
        commands.append(["check", path, "--profile", board])
    return commands


def verifying(run: Path, folder: Path, name: str, data: bytes) -> list[object]:
    return ["verify", run_with(run, folder, name, data), "--samples", 2]


def assert_refused(found: Iterable[Outcome]) -> None:
    for outcome in found:
        assert outcome.refused, outcome


def test_the_untouched_files_are_fine(run: Path, tmp_path: Path) -> None:
    """So each refusal below is due to what was changed, and none to the limits."""
    commands: list[list[object]] = [["verify", run, "--samples", 2]]
    for name in (*MODELS, "firmware.elf", "firmware.bin"):
        commands += reading(run / "artifacts" / name)
    for outcome in outcomes(tmp_path, [*commands, ["inspect", run], ["check", run]], EMULATION, 20):
        assert outcome.code == 0, outcome


def space(names: Iterable[str]) -> int:
    return EMULATION if "firmware.elf" in names else GIBI


@pytest.mark.parametrize("names", [NETWORK, FIRMWARE], ids=["network", "firmware"])
def test_truncated_files(run: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    commands: list[list[object]] = []
    for name in names:
        # A raw image says nothing of its size, and JSON may end in blanks.
        data = content(run, name).rstrip()
        for index, size in enumerate(np.linspace(9, len(data) - 1, 10).astype(int)):
            commands += reading(file(tmp_path / f"{name} {index}", name, data[:size]))
        for index, size in enumerate(np.linspace(0, len(data) - 1, 3).astype(int)):
            commands.append(verifying(run, tmp_path / f"{name} run {index}", name, data[:size]))
    assert_refused(outcomes(tmp_path, commands, space(names)))


@pytest.mark.parametrize("names", [NETWORK, (*FIRMWARE, "firmware.bin")], ids=["network", "firmware"])
def test_flipped_bytes_are_refused_or_harmless(run: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    """Whatever a changed byte does, it ends in a documented way; a well-formed file with other weights may differ."""
    rng, commands = random.Random(0), []

    def flipped(data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(rng.choice([1, 1, 4])):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)

    for name in names:
        data = content(run, name)
        for index in range(10):
            commands += reading(file(tmp_path / f"{name} {index}", name, flipped(data)))
        if name != "firmware.bin":
            for index in range(3):
                commands.append(verifying(run, tmp_path / f"{name} run {index}", name, flipped(data)))
    found = outcomes(tmp_path, commands, space(names))
    for outcome in found:
        assert outcome.refused or outcome.code in (0, 4, 5), outcome
        assert not any("this is a bug" in line or "Traceback" in line for line in outcome.errors), outcome
    assert len({outcome.code for outcome in found}) > 1


MANY = 1_000_000


def deep(levels: int) -> bytes:
    """Graphs within operators within graphs."""
    graph = b""
    for _ in range(levels):
        graph = message(1, message(5, message(6, graph)))
    return onnx_of(graph)


def test_files_that_ask_for_more_than_they_are(run: Path, tmp_path: Path) -> None:
    bombs = {
        "nodes.onnx": onnx_of(b"\x0a\x00" * MANY),
        "constants.onnx": onnx_of(b"\x2a\x00" * MANY),
        "attributes.onnx": onnx_of(message(1, b"\x2a\x00" * MANY)),
        "operands.onnx": onnx_of(message(1, b"\x0a\x00" * MANY)),
        "inputs.onnx": onnx_of(b"\x5a\x00" * MANY),
        "axes.onnx": onnx_of(message(5, message(1, b"\x01" * MANY))),
        "properties.onnx": b"\x08\x08" + b"\x72\x00" * MANY,
        "deep.onnx": deep(2000),
        "long_name.onnx": onnx_of(message(1, message(4, b"a" * MANY))),
        "names.tflite": shared_names(4000, 50_000),
        "long_name.tflite": shared_names(1_000_000, 50_000),
        "tensors.tflite": shared_names(1, 400_000),
    }
    commands: list[list[object]] = []
    for index, (name, data) in enumerate(bombs.items()):
        ways = reading(file(tmp_path / f"file {name}", name, data))
        artifact = "model." + name.rpartition(".")[2]
        ways.append(verifying(run, tmp_path / f"run {name}", artifact, data))
        # All verbs read with the same bounds, so one of each format goes through all, the others through one in turn.
        commands += ways if name.startswith("n") else [ways[index % 3]]
    assert_refused(outcomes(tmp_path, commands))


def test_weights_in_files_outside_the_folder(run: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"top secret, do not tell" * 4)
    commands: list[list[object]] = []
    for index, place in enumerate(("../secret.bin", "/etc/passwd", "weights/../../secret.bin")):
        data = small_onnx(place)
        commands += reading(file(tmp_path / f"{index}", "model.onnx", data))
        commands.append(verifying(run, tmp_path / f"run{index}", "model.onnx", data))
    found = outcomes(tmp_path, commands)
    assert_refused(found)
    assert all("secret, do" not in outcome.out + "".join(outcome.errors) for outcome in found)


def test_archives_that_unpack_to_gigabytes(run: Path, tmp_path: Path) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model", bytes(16 * 1024**2))
    # The entry says of itself that it is larger.
    data = packed.getvalue().replace(
        (16 * 1024**2).to_bytes(4, "little"), (0xFFFF_FFFE).to_bytes(4, "little")
    )
    commands: list[list[object]] = []
    for name in ("model.onnx", "model.tflite", "firmware.elf"):
        commands += reading(file(tmp_path / f"file {name}", name, data))
        commands.append(verifying(run, tmp_path / f"run {name}", name, data))
    assert_refused(outcomes(tmp_path, commands))


NAMES = ("model.onnx", "model.tflite", "firmware.elf", "firmware.bin", "model.safetensors", "model.json")


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def as_folder(path: Path) -> None:
    path.mkdir()


def as_circle(path: Path) -> None:
    path.symlink_to(path)


def as_sparse(path: Path) -> None:
    """A file of 3 GiB that takes no room."""
    with path.open("wb") as stream:
        stream.truncate(3 * GIBI)


def test_what_is_no_file(run: Path, tmp_path: Path) -> None:
    commands: list[list[object]] = []
    for make in (as_pipe, as_device, as_folder, as_circle, as_sparse):
        for name in NAMES:
            (tmp_path / make.__name__ / name).mkdir(parents=True)
            path = tmp_path / make.__name__ / name / name
            make(path)
            # A raw image of any size is only too large for its board.
            if (name, make) != ("firmware.bin", as_sparse):
                commands += reading(path)
            if name != "firmware.bin":
                folder = run_with(run, path.parent / "run", name, b"")
                target = folder / name if (folder / name).exists() else folder / "artifacts" / name
                target.unlink()
                make(target)
                commands.append(["verify", folder, "--samples", 2])
    assert_refused(outcomes(tmp_path, commands))


def test_networks_that_ask_for_more_than_they_are(run: Path, tmp_path: Path) -> None:
    commands: list[list[object]] = []
    for index, (name, data) in enumerate(
        (
            ("model.json", b"[" * 1_000_000),
            ("model.json", b"[" + b"[]," * 3_000_000 + b"[]]"),
            ("model.json", b'{"format": "spikenas-graph/1", "time_steps": ' + b"9" * 100_000 + b"}"),
            ("model.safetensors", (1 << 62).to_bytes(8, "little") + b"{}"),
            ("model.safetensors", (90_000_000).to_bytes(8, "little") + b'{"' + b"a" * 90_000_000),
            ("model.safetensors", (2_000_000).to_bytes(8, "little") + b"[" * 2_000_000),
        )
    ):
        folder = run_with(run, tmp_path / f"{index}", name, data)
        commands += [["verify", folder, "--samples", 2], ["inspect", folder], ["check", folder]]
        commands.append(["inspect", folder / name])
    assert_refused(outcomes(tmp_path, commands))


def test_the_limits_themselves_hold(run: Path, tmp_path: Path) -> None:
    """What takes too long is ended and named, and what takes too much fails; so the tests above would see it."""
    with pytest.raises(AssertionError, match=r"'inspect', .* ended the process"):
        outcomes(tmp_path, [["inspect", run]], seconds=0.01)
    try:
        (found,) = outcomes(tmp_path, [["inspect", run]], address_space=48 * 1024**2)
    except AssertionError:
        return
    assert found.code != 0 and not found.refused
