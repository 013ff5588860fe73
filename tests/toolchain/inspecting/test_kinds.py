from __future__ import annotations

from toolchain.framing.parts import Operator
from toolchain.inspecting.kinds import kinds


def test_weights_are_found_behind_what_unpacks_them() -> None:
    operators = [
        Operator("Cast", ("packed",), ("bytes",)),
        Operator("Mul", ("bytes", "step"), ("unpacked",)),
        Operator("Conv", ("x", "unpacked", "b"), ("y",)),
        Operator("Add", ("y", "shift"), ("z",)),
        Operator("GreaterOrEqual", ("z", "threshold"), ("fired",)),
    ]
    sizes = {"packed": 100, "step": 8, "b": 8, "shift": 8, "threshold": 8, "other.bias": 4}
    assert kinds(operators, sizes) == {
        "packed": "weights",
        "step": "constants",
        "b": "biases",
        "shift": "constants",
        "threshold": "constants",
        "other.bias": "biases",
    }


def test_what_depends_on_an_input_is_no_weight() -> None:
    operators = [Operator("Mul", ("x", "c"), ("y",)), Operator("Conv", ("x", "y"), ("z",))]
    assert kinds(operators, {"c": 4}) == {"c": "constants"}


def test_inputs_that_are_left_out_do_not_count() -> None:
    operators = [Operator("Clip", ("w", "", "most"), ("v",)), Operator("MatMul", ("x", "v"), ("y",))]
    assert kinds(operators, {"w": 100, "most": 4}) == {"w": "weights", "most": "constants"}
