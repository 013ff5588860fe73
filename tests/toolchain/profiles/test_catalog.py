"""Names and paths of profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toolchain.profiles.boards import microcontroller, write
from toolchain.errors import InputError
from toolchain.profiles import available, from_document, load
from toolchain.profiles.catalog import faults


def test_a_shipped_profile_is_loaded_by_name() -> None:
    assert load("stm32f405").name == "stm32f405"


def test_a_file_is_loaded_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "mine.toml", microcontroller())
    monkeypatch.chdir(tmp_path)
    assert load(file) == load(str(file)) == load("mine.toml") == load("./mine.toml")
    assert load(file).name == "mine"


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no profile is called 'stm32f450'; did you mean stm32f405\?"):
        load("stm32f450")
    with pytest.raises(InputError) as caught:
        load("zzzzzz")
    assert all(name in str(caught.value) for name in available())


def test_a_file_beside_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "mine.toml", microcontroller())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"write \./mine\.toml"):
        load("mine")


def test_a_file_here_does_not_hide_a_shipped_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "stm32f405.toml", microcontroller())
    monkeypatch.chdir(tmp_path)
    assert load("stm32f405").clock_hz == 168_000_000
    assert load("./stm32f405.toml").clock_hz == 100_000_000


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 5000,
        "a\0b",
        "\x1b[31m",
        "nosuch.toml",
        "no/such",
        "x" * 5000 + ".toml",
        "a\0b.toml",
        ".toml",
    ],
)
def test_hostile_names_are_one_sentence(name: str) -> None:
    with pytest.raises(InputError):
        load(name)


@pytest.mark.parametrize(
    "document", [None, [], 3, {"regions": [5, {"name": 3}]}, {"regions": {}}, {"x" * 99: 1}]
)
def test_hostile_documents_are_refused(document: object) -> None:
    with pytest.raises(InputError, match=r"profile\.json"):
        from_document(document, "profile.json")


def test_a_document_keeps_the_rules_too() -> None:
    with pytest.raises(InputError, match="clock_hz is 0"):
        from_document(microcontroller() | {"clock_hz": 0}, "profile.json")


def test_faults_of_a_file_that_cannot_be_read_name_it_once() -> None:
    (fault,) = faults("./nosuch.toml")
    assert str(fault).count("nosuch.toml") == 1
    assert faults("stm32f405") == ()
