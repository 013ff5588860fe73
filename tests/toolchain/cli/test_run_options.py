from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolchain.cli.run_options import SEARCH_SHARE, run_settings
from toolchain.errors import InputError
from toolchain.settings import RunSettings

NOTHING: dict[str, Any] = {
    "data": None, "size": None, "channels": None, "limit": None, "frames": None, "flash": None, "sram": None,
    "artifact": None, "resident": None, "latency": None, "energy": None, "synops": None,
    "algorithm": "spikenas", "bits": "8", "time_budget": None, "seed": 0, "epochs": None, "targets": None,
}  # fmt: skip


def settings(**given: Any) -> RunSettings:
    return run_settings(**NOTHING | given)


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_options_the_settings_are_the_defaults() -> None:
    assert settings() == RunSettings()


def test_a_relative_path_becomes_absolute() -> None:
    Path("images").mkdir()
    for given in ("images", "./images", str(Path("images").absolute())):
        assert settings(data=given).data.source == str(Path("images").absolute())
    # What is not there is named as it was typed.
    assert settings(data="elsewhere").data.source == "elsewhere"


def test_digits_are_the_built_in_ones_whatever_folder_is_called_so() -> None:
    assert settings(data="digits").data.source == "digits"
    Path("digits").mkdir()
    assert settings(data="digits").data.source == "digits"
    assert settings(data="./digits").data.source == str(Path("digits").absolute())


def test_sizes_and_durations_are_bytes_and_milliseconds() -> None:
    limits = settings(flash="256KiB", sram="65536", artifact="1MiB", latency="20ms").limits
    assert (limits.flash_bytes, limits.sram_bytes, limits.artifact_bytes) == (262_144, 65_536, 1_048_576)
    assert limits.latency_ms == pytest.approx(20.0)
    limits = settings(resident="8MiB", energy="500uJ", synops="1.5M").limits
    assert (limits.resident_bytes, limits.energy_mj, limits.operations) == (8 << 20, 0.5, 1_500_000)


def test_bits_are_a_number_or_left_to_the_search() -> None:
    assert [settings(bits=word).search.bits for word in ("8", "4", "2", "auto")] == [8, 4, 2, "auto"]
    assert settings(bits="4").search.widths == (4,) and settings(bits="auto").search.widths == (8, 4)


def test_the_time_budget_is_split_between_search_and_training() -> None:
    split = settings(time_budget="90s", seed=7, epochs=3)
    assert split.search.time_budget_s == pytest.approx(90 * SEARCH_SHARE)
    assert split.search.time_budget_s + split.training.time_budget_s == pytest.approx(90)
    assert (split.search.seed, split.training.seed, split.training.epochs) == (7, 7, 3)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"flash": "lots"}, "'lots' is no size"),
        ({"latency": "1us"}, "'1us' is no duration"),
        ({"energy": "1kJ"}, "'1kJ' is no energy above 0"),
        ({"synops": "few"}, "'few' is no count above 0"),
        ({"time_budget": "0s"}, "'0s' is no duration above 0"),
    ],
)
def test_a_word_that_is_no_amount_is_named(option: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        settings(**option)


def test_targets_are_kept_once_each_and_unknown_ones_refused() -> None:
    assert settings(targets=["linux", "cpu", "linux"]).limits.targets == ("linux", "cpu")
    with pytest.raises(InputError, match="no exporter writes the target 'pth'"):
        settings(targets=["pth"])
