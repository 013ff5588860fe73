from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture, parse
from toolchain.graph.nodes import Shape
from toolchain.search.jobs import work
from toolchain.search.problem import Problem
from toolchain.search.settings import SearchSettings
from toolchain.search.snasnet.jobs import batch_for, snasnet_job
from toolchain.search.snasnet.score import score

TINY = parse("snasnet t2 stem4/1 302030 pool2 fc32 voters2")


def test_a_job_is_the_published_score() -> None:
    data = bars()
    problem = Problem(board("jetson_nano", data), data, SearchSettings())
    result = work(problem, snasnet_job(TINY, 7, 16))
    seconds = result.pop("seconds")
    found = score(TINY, data.train.images, 3, seed=7, batch=16)
    assert result == pytest.approx(asdict(found)) and seconds > 0
    assert work(problem, snasnet_job(TINY, 8, 16))["sahd_2022_07"] != result["sahd_2022_07"]


def test_a_network_that_fires_alike_has_no_score() -> None:
    data = bars()
    black = replace(data, train=replace(data.train, images=np.zeros_like(data.train.images)))
    found = work(Problem(board("jetson_nano", data), black, SearchSettings()), snasnet_job(TINY, 7, 8))
    assert found["sahd_2022_01"] is found["sahd_2022_07"] is found["hamming"] is None


def test_batches_are_the_published_ones_where_images_and_memory_allow() -> None:
    cells = (Cell.parse("333333"),) * 2
    cifar = Shape(3, 32, 32)
    assert batch_for(SnasnetArchitecture.cifar100(cells), cifar, 50_000) == 256
    assert batch_for(SnasnetArchitecture.cifar10(cells), cifar, 50_000) == 128
    assert batch_for(TINY, cifar, 100) == 64 and batch_for(TINY, cifar, 1) == 2
