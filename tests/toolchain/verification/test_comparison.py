from __future__ import annotations

import numpy as np

from toolchain.verification.comparison import Difference, OutputDifference, compare, sentence

EXPECTED = np.array([[3, 1], [1, 3], [2, 2]], np.int32)
TARGETS = np.array([0, 1, 1])


def compared(got: np.ndarray):  # type: ignore[no-untyped-def]
    return compare("model.onnx", "a runtime", "measured", EXPECTED, got, TARGETS, ("cat", "dog"))


def test_equal_integers() -> None:
    found = compared(EXPECTED.copy())
    assert (found.images, found.integers, found.differing, found.first) == (3, 6, 0, None)
    # Of equal scores the first class wins, so the third image is taken for a cat.
    assert (found.agreeing, found.correct, found.reference_correct) == (3, 2, 2)
    assert sentence(found) == ""


def test_first_difference_is_named_and_accuracy_is_the_runtimes() -> None:
    got = EXPECTED.copy()
    got[1] = (4, 3)
    got[2, 1] = 3
    found = compared(got)
    assert (found.differing, found.first) == (2, Difference(1, "cat", 1, 4))
    assert (found.agreeing, found.correct, found.reference_correct) == (1, 2, 2)
    assert found.accuracy == 2 / 3
    assert sentence(found) == (
        "model.onnx in a runtime: 2 of 6 integers differ from the reference, in 2 of 3 images, "
        "first image 1, class cat: 4 instead of 1"
    )


def test_what_differs_is_told_by_output_and_by_image() -> None:
    got = EXPECTED.copy()
    got[1] = (-(2**31), 3)
    got[2] = (5, 1)
    found = compared(got)
    assert found.by_output == (OutputDifference("cat", 2, 2**31 + 1), OutputDifference("dog", 1, 1))
    assert (found.differing, found.differing_images, found.largest) == (3, 2, 2**31 + 1)
    assert compared(EXPECTED.copy()).by_output == () and compared(EXPECTED.copy()).largest == 0


def test_scores_of_another_shape_differ_in_all() -> None:
    found = compared(EXPECTED[:, :1])
    assert found.differing == 6 and found.agreeing == 0 and sentence(found)
    assert (found.by_output, found.differing_images) == ((), 3)


def test_numbers_are_judged_by_what_is_explained_and_by_their_error() -> None:
    targets = np.array([[0.5, 10], [1.5, 20], [2.5, 30]], np.float32)
    expected = np.array([[1, 20], [3, 20], [5, 20]], np.int32)

    def values(scores: np.ndarray) -> np.ndarray:
        return scores * np.array([0.5, 1.0])

    got = expected.copy()
    got[2, 0] = 7
    found = compare(
        "model.onnx", "a runtime", "measured", expected, got, targets, ("steering", "range"), values
    )
    assert (found.differing, found.agreeing, found.accuracy) == (1, None, None)
    assert sentence(found).endswith("first image 2, number steering: 7 instead of 5")
    steering, distance = found.numbers
    assert (steering.label, steering.r2, steering.reference_r2) == ("steering", 0.5, 1.0)
    assert steering.mean_absolute_error == 1 / 3
    assert (distance.r2, distance.mean_absolute_error) == (0.0, 20 / 3)
    other = compare("m", "r", "measured", expected, got[:, :1], targets, ("steering", "range"), values)
    assert other.differing == 6 and other.numbers == () and other.agreeing is None
