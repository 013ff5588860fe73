from __future__ import annotations

from tests.toolchain.search.trained import trained
from toolchain.search.front import front, objectives


def test_what_is_worse_in_all_is_off_the_front() -> None:
    small, large = trained(16, 0.85), trained(64, 0.90)
    dominated = trained(64, 0.84)
    assert front([dominated, small, large]) == [large, small]


def test_fewer_operations_keep_a_candidate_on_the_front() -> None:
    accurate, sparse = trained(32, 0.9, operations=2000), trained(64, 0.8, operations=500)
    assert front([accurate, sparse]) == [accurate, sparse]


def test_a_shorter_training_does_not_dominate_a_longer_one() -> None:
    lucky, finalist = trained(16, 0.95, rung=0), trained(32, 0.90, rung=1)
    assert finalist in front([lucky, finalist])
    late = trained(16, 0.96, rung=1)
    assert front([trained(32, 0.90, rung=0), late]) == [late]


def test_equals_are_both_kept() -> None:
    one, other = trained(16, 0.9), trained(16, 0.9)
    assert len(front([one, other])) == 2


def test_objectives_are_those_that_the_board_has() -> None:
    values = objectives(trained(16, 0.9))
    assert set(values) == {"quality", "flash_bytes", "sram_bytes", "latency_ms", "operations"}
