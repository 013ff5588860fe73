from __future__ import annotations

import pytest

from tests.toolchain.search.trained import trained
from toolchain.search.impact.results import SetImpact
from toolchain.search.impact.sets import OperationSet


def made(difference: float, more_bytes: int, more_operations: int) -> SetImpact:
    network = trained(8, 0.8, 0.81)
    parts = (network, network, network, difference, 0.005, more_bytes, more_operations)
    return SetImpact(OperationSet("2"), 10, None, (network,), *parts)


@pytest.mark.parametrize(
    ("difference", "more_bytes", "verdict"),
    [
        (0.0, 0, "costs nothing"),
        (0.0, -4, "costs nothing"),
        (0.0, 1, "costs memory"),
        (-0.004, 0, "costs nothing"),
        (-0.006, 0, "undecided"),
        (-0.006, 1, "undecided"),
        (-0.011, 0, "costs accuracy"),
        (-0.011, 1, "costs accuracy"),
    ],
)
def test_verdicts(difference: float, more_bytes: int, verdict: str) -> None:
    assert made(difference, more_bytes, 0).verdict == verdict
    assert made(difference, more_bytes, 1).verdict == verdict.replace("nothing", "operations")
    assert made(difference, more_bytes, -1).verdict == verdict


def test_without_a_network_nothing_fits() -> None:
    assert SetImpact(OperationSet("2"), 10, None, ()).verdict == "nothing fits"
