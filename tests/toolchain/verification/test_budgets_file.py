from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import pytest

from toolchain import runs
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.settings import LimitSettings, RunSettings
from toolchain.verification.budgets_file import MAX_FILE_BYTES, read_budgets
from toolchain.verification.firmware_lines import NetworkLimits

KIB = 1024


def written(folder: Path, text: str) -> Path:
    path = folder / "spikenas.toml"
    path.write_text(text)
    return path


def test_all_that_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "mine.toml").write_text('inherits = "stm32f405"\ntitle = "Mine"\n')
    first, second, third, fourth = read_budgets(
        written(
            tmp_path,
            """
            profile = "stm32f405"
            max_growth = "2%"
            [[artifacts]]
            path = "build/firmware.elf"
            flash = "256KiB"
            sram = 65536
            network_flash = "64 KiB"
            network_sram = "8KiB"
            symbol_prefix = ["net_", "eyes_"]
            [[artifacts]]
            path = "build/cf2.bin"
            name = "flight firmware"
            profile = "boards/mine.toml"
            max_growth = "0.5%"
            [[artifacts]]
            path = "model.onnx"
            profile = "jetson_nano"
            artifact = "1MiB"
            [[artifacts]]
            path = "other.elf"
            symbol_prefix = "net_"
            """,
        )
    )
    assert (first.name, first.max_growth) == ("build/firmware.elf", Fraction(2, 100))
    assert first.subject.path == tmp_path / "build" / "firmware.elf"
    assert (first.subject.limits.flash_bytes, first.subject.limits.sram_bytes) == (256 * KIB, 65536)
    assert first.subject.network == NetworkLimits(64 * KIB, 8 * KIB)
    assert first.subject.prefixes == ("net_", "eyes_") and fourth.subject.prefixes == ("net_",)
    assert (second.name, second.max_growth) == ("flight firmware", Fraction(5, 1000))
    assert second.subject.profile and second.subject.profile.name == "mine"
    assert third.subject.limits.artifact_bytes == 1024 * KIB


def test_limits_without_a_profile(tmp_path: Path) -> None:
    model, image = read_budgets(
        written(
            tmp_path,
            '[[artifacts]]\npath = "a.tflite"\nartifact = 9\n[[artifacts]]\npath = "a.uf2"\nflash = "2MiB"\n',
        )
    )
    assert model.subject.profile is None and model.subject.limits.artifact_bytes == 9
    assert image.subject.limits.flash_bytes == 2048 * KIB and image.max_growth is None


def test_a_run_has_a_board_and_limits_of_its_own(tmp_path: Path) -> None:
    runs.create(tmp_path / "run", load("stm32f405"), RunSettings(limits=LimitSettings(flash_bytes=9000)))
    (plain, narrower) = read_budgets(
        written(
            tmp_path, '[[artifacts]]\npath = "run"\n[[artifacts]]\npath = "run/"\nname = "b"\nflash = 8000\n'
        )
    )
    assert plain.subject.profile and plain.subject.profile.name == "stm32f405"
    assert (plain.subject.limits.flash_bytes, narrower.subject.limits.flash_bytes) == (9000, 8000)


ENTRY = '[[artifacts]]\npath = "a.elf"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names 0 artifacts; name 1 to 100"),
        ("artifacts = []", "names 0 artifacts"),
        ("artifacts = 5", "artifacts is 5; write a list"),
        ("[artifacts]\npath = 'a.elf'", "artifacts is one table; write [[artifacts]], once for each"),
        ("[[artifacts]]\nflash = 5", "artifacts[0].path is missing; add it"),
        (ENTRY + "flsh = 5", "unknown key artifacts[0].flsh; remove it"),
        ("budget = 5\n" + ENTRY + "flash = 5", "unknown key budget; remove it"),
        (ENTRY + "flash = 'lots'", "artifacts[0].flash: 'lots' is no size"),
        (ENTRY + "flash = 0", "artifacts[0].flash: 0 is no size"),
        (ENTRY + "flash = -5", "artifacts[0].flash: -5 is no size"),
        (ENTRY + "flash = 1.5", "artifacts[0].flash: 1.5 is no size"),
        (ENTRY + "flash = true", "artifacts[0].flash: True is no size"),
        (ENTRY + "flash = ['1KiB']", "artifacts[0].flash: ['1KiB'] is no size"),
        (ENTRY + "flash = '{'", "artifacts[0].flash: '{' is no size"),
        (ENTRY + "flash = 5\nmax_growth = 2", "artifacts[0].max_growth: '2' is no share"),
        (ENTRY + "flash = 5\nmax_growth = '-2%'", "'-2%' is no share; write a number and %, as in 2%"),
        (ENTRY + "flash = 5\nsymbol_prefix = 5", "artifacts[0].symbol_prefix is 5; write a list"),
        (ENTRY + "flash = 5\nsymbol_prefix = [5]", "artifacts[0].symbol_prefix[0] is 5; write a text"),
        ("[[artifacts]]\npath = '/etc/passwd'", "'/etc/passwd' is no path below the folder of this file"),
        ("[[artifacts]]\npath = '../a.elf'", "'../a.elf' is no path below the folder"),
        ("[[artifacts]]\npath = 'a/../../b.elf'", "is no path below the folder"),
        ("[[artifacts]]\npath = ''", "'' is no path below the folder"),
        ('[[artifacts]]\npath = "a\\u001b.elf"', "is no path below the folder"),
        (ENTRY + "profile = '../board.toml'", "artifacts[0].profile: '../board.toml' is no path below"),
        (ENTRY + "profile = 'stm32f4O5'", "a.elf: no profile is called 'stm32f4O5'; did you mean stm32f405?"),
        (ENTRY + "profile = 'boards/none.toml'", "boards/none.toml does not exist"),
        (ENTRY + "profile = 'stm32f405'\nflash = '2MiB'", "a.elf: flash may only narrow the 1 MiB"),
        (ENTRY + "profile = 'stm32f405'\nartifact = 5", "a.elf: artifact does not apply to stm32f405"),
        (ENTRY, "a.elf is firmware; limit it with flash or sram, or give the profile of its board"),
        (ENTRY + "artifact = 5", "a.elf is firmware; limit it with flash or sram"),
        ("[[artifacts]]\npath = 'a.hex'\nsram = 5", "a.hex does not say what SRAM it takes; limit that of the .elf"),
        (ENTRY.replace("elf", "bin") + "profile = 'stm32f405'\nsram = 5", "a.bin does not say what SRAM it takes"),
        ("[[artifacts]]\npath = 'a.onnx'\nflash = 5", "a.onnx is a model; limit it with artifact"),
        ("[[artifacts]]\npath = 'a.onnx'\nartifact = 5\nnetwork_flash = 5", "is a model; limit it with artifact"),
        ((ENTRY + "flash = 5\n") * 2, "two artifacts are called 'a.elf'; give each its name"),
        ((ENTRY + "flash = 5\n") * 101, "names 101 artifacts"),
        ("[[artifacts]", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_budgets(path)
    sentence = str(caught.value)
    assert words in sentence and "\n" not in sentence and sentence.startswith(str(tmp_path))


def test_every_mistake_has_its_sentence(tmp_path: Path) -> None:
    text = ENTRY + "flash = 'a'\nsram = 'b'\n" + ENTRY + "what = 5\n"
    with pytest.raises(InputError, match="^3 faults:(\n  - [^\n]+){3}$"):
        read_budgets(written(tmp_path, text))
    text = ENTRY + "artifact = 5\n" + ENTRY.replace("a.elf", "b.onnx") + "flash = 5\n"
    with pytest.raises(InputError, match="^2 faults:(\n  - [^\n]+){2}$"):
        read_budgets(written(tmp_path, text))


def test_hostile_files_end_soon(tmp_path: Path) -> None:
    began = time.perf_counter()
    for text in (
        "a" * (MAX_FILE_BYTES + 1),
        "a." * (MAX_FILE_BYTES // 2 - 4) + "b = 1",
        "a = " + "[" * 60_000,
    ):
        with pytest.raises(InputError) as caught:
            read_budgets(written(tmp_path, text))
        assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < 5
