"""What a run does not have yet, why, and the command that makes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from toolchain.reporting.document import Missing
from toolchain.reporting.sources import Sources

PROGRAM = "spikenas-deploy"


def missing(sources: Sources) -> list[Missing]:
    """In the order in which the verbs follow each other."""
    return [*_steps(sources), *_figures(sources)]


def _steps(sources: Sources) -> Iterator[Missing]:
    run = sources.run
    if sources.state == "searching":
        why = "the search did not end"
        yield Missing(what="the network", why=why, command=_command("search --resume", sources))
        return
    if run.unfinished_training.is_file():
        why = "a training was begun and did not end"
        yield Missing(what="that training", why=why, command=_command("train --resume", sources))
    elif not sources.is_trained:
        why = "the network that was found is not trained"
        yield Missing(what="weights and accuracy", why=why, command=_command("train", sources))
    if not sources.is_trained:
        return
    if not sources.is_exported:
        why = "the trained network is not exported"
        yield Missing(what="artifacts", why=why, command=_command("export", sources))
    elif sources.is_float:
        why = "a float network of the snasnet space has no integers to verify; `check` holds its file to the budget"
        yield Missing(what="a verdict", why=why, command=_command("check", sources))
    elif sources.verdict is None:
        why = sources.verdict_problem or "the artifacts are not verified"
        yield Missing(what="a verdict", why=why, command=_command("verify", sources))


def _figures(sources: Sources) -> Iterator[Missing]:
    if sources.data_problem is not None:
        yield Missing(what="what is seen in the test images", why=sources.data_problem)
    if sources.is_float:
        why = "these are taken from integers, which networks of the snasnet space do not have"
        yield Missing(what="layers and what is seen in the test images", why=why)
    search = sources.search
    if search is not None and not search.trained:
        why = "the search trained no candidate, for want of time or by its nature"
        yield Missing(what="the candidates to compare", why=why)
    if search is None and sources.run.was_picked:
        why = "this network was picked from the search of another run"
        yield Missing(what="the search", why=why)
    if sources.profile.power is None:
        why = (
            f"{sources.profile.name} does not say what power it draws; a profile with [power] active_mw does"
        )
        command = f"{PROGRAM} profiles new --from {shlex.quote(sources.profile.name)} my_board.toml"
        yield Missing(what="the energy of an image", why=why, command=command)


def _command(verb: str, sources: Sources) -> str:
    return f"{PROGRAM} {verb} {shlex.quote(str(sources.run.path))}"
