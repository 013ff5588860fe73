"""The population that Optuna's NSGA-II breeds: networks that fit and are new, and what they turned out to be worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.search.algorithms.base import Counts
from toolchain.search.algorithms.genome import Genome, express, genes, genome_of
from toolchain.search.candidates import Candidate, Trained
from toolchain.search.feasible import Feasible
from toolchain.search.settings import SearchSettings
from toolchain.search.space import CHANNELS

MOST_DRAWS = 200
"""Genomes that are drawn for a generation at most; where hardly anything fits it stays smaller."""


class Population:
    """Asks Optuna for ``size`` networks at a time; ``counts`` are told of what was drawn and dropped.

    A genome over budget stands for the widest network that fits with its other genes. Genomes of no network, of
    none that fits, or of one that was drawn before fail: they breed nothing, and others take their place.
    """

    def __init__(self, feasible: Feasible, settings: SearchSettings, size: int, counts: Counts) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = int(np.random.default_rng([settings.seed, 3]).integers(2**31))
        self._study = optuna.create_study(
            directions=["maximize", "minimize"],
            sampler=optuna.samplers.NSGAIISampler(population_size=size, seed=seed),
        )
        self._failed = optuna.trial.TrialState.FAIL
        time_steps = tuple(sorted({each.time_steps for each in feasible.grid}))
        widths = feasible.board.widths
        self._genes = {
            name: optuna.distributions.CategoricalDistribution(values)
            for name, values in genes(settings.operations, time_steps, widths).items()
        }
        # The first network is one that is sure to fit.
        self._study.enqueue_trial(genome_of(feasible.sizes[0], feasible.reserve))
        self._feasible, self._size, self._counts = feasible, size, counts
        self._grid = frozenset(feasible.grid)
        self._drawn: set[str] = set()
        self._waiting: dict[str, Any] = {}

    def draw(self) -> list[Candidate]:
        """The next generation; smaller where hardly anything fits, and empty where nothing new does."""
        found: list[Candidate] = []
        asked = 0
        while len(found) < self._size and asked < MOST_DRAWS:
            asked += self._size - len(found)
            found += self._fitting(self._size - len(found))
        return found

    def tell(self, trained: Sequence[Trained]) -> None:
        """What came of the networks drawn last; those that are not told of failed."""
        known = {each.candidate.id: each for each in trained}
        for name, trial in self._waiting.items():
            if name in known:
                self._study.tell(trial, [known[name].quality, known[name].size_bytes])
            else:
                self._study.tell(trial, state=self._failed)
        self._waiting.clear()

    def _fitting(self, count: int) -> Iterator[Candidate]:
        """Those networks of ``count`` genomes that fit and are new; what is too wide is narrowed."""
        trials = [self._study.ask(self._genes) for _ in range(count)]
        widths = [self._narrower(trial.params) for trial in trials]
        judged = self._feasible.screen.judge([network for each in widths for network in each])
        start = 0
        for trial, networks in zip(trials, widths, strict=True):
            part = range(start, start + len(networks))
            start += len(networks)
            fitting = next((index for index in part if judged.fits[index]), None)
            if networks:
                self._counts.space += 1
                for limit in (limit for limit, over in judged.over.items() if over[part[0]]):
                    self._counts.dropped[limit] = self._counts.dropped.get(limit, 0) + 1
            if fitting is not None:
                candidate = Candidate(self._feasible.board.judge(networks[fitting - part[0]]), ("evolved",))
                if candidate.id not in self._drawn:
                    self._drawn.add(candidate.id)
                    self._waiting[candidate.id] = trial
                    yield candidate
                    continue
            self._study.tell(trial, state=self._failed)

    def _narrower(self, genome: Genome) -> list[Architecture]:
        """The network of ``genome``, and those with ever fewer channels; none if there is no such network."""
        channels = [each for each in reversed(CHANNELS) if each <= genome["stem_channels"]]
        every = [express({**genome, "stem_channels": each}, self._grid) for each in channels]
        return [network for network in every if network is not None]
