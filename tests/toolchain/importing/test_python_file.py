"""A model from a user's own file, with weights that can only be numbers."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.support.brought import net
from toolchain.errors import InputError
from toolchain.importing.python_file import load_model

FILE = Path(net.__file__)


def test_a_function_with_weights(tmp_path: Path) -> None:
    model = net.build()
    save_file(model.state_dict(), tmp_path / "net.safetensors")
    found = load_model(FILE, "build", tmp_path / "net.safetensors")
    for name, values in model.state_dict().items():
        assert torch.equal(found.state_dict()[name], values)


def test_a_model_that_a_file_made_with_a_module_beside_it(tmp_path: Path) -> None:
    (tmp_path / "parts_of_mine.py").write_text("from torch import nn\nlayer = nn.Linear(2, 3)\n")
    (tmp_path / "mine.py").write_text("import parts_of_mine\nnet = parts_of_mine.layer\n")
    assert isinstance(load_model(tmp_path / "mine.py", "net", None), torch.nn.Linear)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("x = 1", "build", "has no 'build'; give a function or a model of its own, as in mine.py:build"),
        ("x = 1", "x", "'x' gives a int, not an nn.Module"),
        ("def build(): return [1]", "build", "'build' gives a list, not an nn.Module"),
        ("def build(width): return width", "build", r"build\(\) fails: TypeError"),
        ("import no_such_package", "build", "cannot be run: ModuleNotFoundError"),
        ("raise SystemExit(3)", "build", "cannot be run: SystemExit"),
        ("def (", "build", "cannot be run: SyntaxError"),
    ],
)
def test_files_that_give_no_model(text: str, name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=reason) as caught:
        load_model(tmp_path / "mine.py", name, None)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_model(tmp_path / "mine.py", "build", None)
    with pytest.raises(InputError, match="does not exist"):
        load_model(FILE, "build", tmp_path / "net.safetensors")


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> object:
            return (Path(tmp_path / "owned").touch, ())

    for name in ("net.pt", "net.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps(Attack()))
        with pytest.raises(InputError, match="is not a .?safetensors file"):
            load_model(FILE, "build", tmp_path / name)
    assert not (tmp_path / "owned").exists()


def test_weights_of_another_model(tmp_path: Path) -> None:
    weights = tmp_path / "net.safetensors"
    save_file({"0.weight": torch.zeros(1)}, weights)
    with pytest.raises(InputError, match="does not fit the model: Missing key"):
        load_model(FILE, "build", weights)
    save_file(net.build(24).state_dict(), weights)
    with pytest.raises(InputError, match="does not fit the model: size mismatch for 9.weight"):
        load_model(FILE, "build", weights)
