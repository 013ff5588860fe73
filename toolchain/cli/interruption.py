"""What an interrupted verb says last: the command that goes on from there."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import typer

from toolchain.errors import Interrupted
from toolchain.runs import RunFolder


@contextmanager
def on_interrupt(hint: str, command: Sequence[str]) -> Iterator[None]:
    """Around work that Ctrl-C may end: raise ``Interrupted`` with ``hint`` and ``command`` in its place."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(f"{hint}: {shlex.join(['spikenas-deploy', *command])}") from error


@contextmanager
def on_interrupted_training(run: RunFolder) -> Iterator[None]:
    """``on_interrupt`` around a training of ``run``, which may have been stopped before its first step."""
    try:
        yield
    except KeyboardInterrupt:
        # Only now is it known whether there is a training to go on with.
        resume = ["--resume"] if run.unfinished_training.is_file() else []
        with on_interrupt("interrupted; go on with", ["train", *resume, str(run.path)]):
            raise


def options_given(context: typer.Context, names: Collection[str]) -> list[str]:
    """The options among the parameters ``names`` that stand on the verb's command line, as they would be typed."""
    words: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in names or source is None or source.name != "COMMANDLINE":
            continue
        value, option = context.params[name], parameter.opts[0]
        if value is True:
            words.append(option)
        else:
            for each in value if isinstance(value, list) else [value]:
                words += [option, str(each)]
    return words
