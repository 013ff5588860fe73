"""Choosing what to export by format and by target."""

from __future__ import annotations

import pytest

from exporters.base import TARGETS, chosen, exporter
from toolchain.errors import InputError


def names(formats: tuple[str, ...], targets: tuple[str, ...] = ()) -> list[str]:
    return [target.name for target in chosen(formats, targets, ("c",))]


def test_every_target_has_a_module_that_exports() -> None:
    for target in TARGETS:
        assert callable(exporter(target.name).export) and exporter(target.name).__name__ == target.module
    assert len({target.name for target in TARGETS}) == len(TARGETS)


def test_files_of_no_two_targets_have_one_name() -> None:
    files = [file for target in TARGETS for file in target.files]
    assert len(set(files)) == len(files)


def test_a_format_means_its_first_target() -> None:
    assert names(("onnx", "tflite", "onnx")) == ["cpu", "linux"]
    assert exporter("onnx") is exporter("cpu")


def test_without_a_choice_the_defaults_are_taken() -> None:
    assert names(()) == ["firmware"]


def test_a_target_stands_for_its_format() -> None:
    assert names((), ("linux",)) == ["linux"]
    assert names(("tflite", "onnx"), ("linux",)) == ["linux", "cpu"]


@pytest.mark.parametrize(
    ("formats", "targets", "words"),
    [
        (("pth",), (), "no exporter writes the format 'pth'; the formats are c, onnx, tflite"),
        ((), ("mainframe",), "no exporter writes the target 'mainframe'; the targets are firmware, cpu"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(
    formats: tuple[str, ...], targets: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        chosen(formats, targets, ())
