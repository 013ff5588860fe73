"""The file that ``profiles new`` writes: sound as it is, and sound with everything uncommented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolchain.errors import InputError
from toolchain.profiles import available, load
from toolchain.profiles.template import create


@pytest.mark.parametrize("name", available())
def test_the_file_is_a_sound_profile_like_its_parent(tmp_path: Path, name: str) -> None:
    file = tmp_path / "mine.toml"
    parent = create(name, file)
    own = {"name": "mine", "title": f"mine, after {parent.title}", "inherits": name}
    assert load(file) == parent.model_copy(update=own)
    # Uncommenting everything repeats the parent: what is shown is what is inherited.
    file.write_text(re.sub(r"^#(?=\S)", "", file.read_text(), flags=re.MULTILINE))
    assert "\nsource = " in file.read_text()
    assert load(file) == parent.model_copy(update=own)


def test_a_file_of_ones_own_can_be_the_parent(tmp_path: Path) -> None:
    create("stm32f405", tmp_path / "first.toml")
    create(str(tmp_path / "first.toml"), tmp_path / "second.toml")
    assert load(tmp_path / "second.toml").inherits == "first"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        create("stm32f405", file)
    assert file.read_text() == "precious"
    link = tmp_path / "link.toml"
    link.symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(InputError, match="exists already"):
        create("stm32f405", link)


@pytest.mark.parametrize("name", ["mine", "mine.txt", "my board.toml", ".toml"])
def test_a_name_that_could_not_be_loaded_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"as in my_board\.toml"):
        create("stm32f405", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_parent_elsewhere_or_unknown_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    create("stm32f405", tmp_path / "sub" / "first.toml")
    with pytest.raises(InputError, match="same folder"):
        create(str(tmp_path / "sub" / "first.toml"), tmp_path / "second.toml")
    with pytest.raises(InputError, match="did you mean"):
        create("stm32f406", tmp_path / "second.toml")
    assert not (tmp_path / "second.toml").exists()
