"""What an artifact says about itself: the same facts in every format, written here and read back here.

The facts tell whether an artifact belongs to a run (``graph_sha256``) and what a program on the board must
know to use it: preprocessing, time steps, labels, the scale of scores and potentials. They are read from
untrusted files, so ``parse`` checks the form of each and ignores the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from toolchain import __version__
from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.graph.graph import MAX_TIME_STEPS, Graph
from toolchain.graph.nodes import Lif, as_int
from toolchain.graph.preprocessing import Preprocessing

FORMAT = "spikenas-artifact/1"
GENERATOR = f"spikenas-deploy {__version__}"
MAX_FACTS_BYTES = 1024 * 1024
MAX_ARTIFACT_BYTES = 64 * 1024 * 1024
"""Largest artifact that is written and read: several times the largest network published for this space."""

KEY = "spikenas"
"""Where a format has named metadata, ours is found by this name, or under names that begin with it and a dot."""

TEXTS = ("format", "generator", "form", "profile", "graph_sha256", "task")
"""Facts that are text; a format with properties of its own stores these as they are, the others as JSON."""

Form = Literal["unrolled", "step", "tensorrt"]
"""``unrolled``: pixels in, scores of all time steps out; ``step``: one time step, state in and out."""


def facts(graph: Graph, profile: str, form: Form) -> dict[str, Any]:
    """The facts of an artifact of ``graph`` for the board ``profile``, as plain JSON data.

    ``neurons`` gives per LIF node the leak, the reset, the exponent e of each channel (potential / 2**e is
    its value) and the extremes of its thresholds; a class's value is score / 2**score_exponent.
    Of a regression there is the ``task`` and ``score_exponents``, one for every number.
    """
    return {
        "format": FORMAT,
        "generator": GENERATOR,
        "form": form,
        "profile": profile,
        "graph_sha256": graph.sha256(),
        "time_steps": graph.time_steps,
        "labels": list(graph.labels),
        "preprocessing": graph.preprocessing.to_dict(),
        **_scores(graph),
        "neurons": {node.name: _neurons(node) for node in graph.all(Lif)},
    }


def parse(document: Any, origin: str) -> dict[str, Any]:
    """Check the facts read from an artifact; raises ``InputError`` if one is missing or of the wrong form."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(
            f"{origin} does not say that this toolchain wrote it; export it with `spikenas-deploy export`"
        )
    task = document.get("task", "classification")
    if not isinstance(task, str) or task not in _SCORES:
        raise InputError(f"{origin} has broken metadata: task is {_short(task)}; export it again")
    forms = _FORMS | _SCORES[task]
    for name, good in forms.items():
        if not good(document.get(name)):
            raise InputError(
                f"{origin} has broken metadata: {name} is {_short(document.get(name))}; export it again"
            )
    try:
        frames = Preprocessing.from_dict(document.get("preprocessing")).frames
    except InputError as error:
        raise InputError(f"{origin} has broken metadata: {error}; export it again") from error
    if frames not in (1, document["time_steps"]):
        raise InputError(
            f"{origin} has broken metadata: preprocessing gives {frames} frames, but there are "
            f"{document['time_steps']} time steps; export it again"
        )
    return {name: document[name] for name in ("format", *forms, "preprocessing")}


def from_texts(texts: Mapping[str, str], origin: str) -> dict[str, Any]:
    """The facts of a format whose metadata are named texts, those of others included; raises as ``parse`` does."""
    own = {key[len(KEY) + 1 :]: text for key, text in texts.items() if key.startswith(f"{KEY}.")}
    if sum(map(len, own.values())) > MAX_FACTS_BYTES:
        raise InputError(f"{origin} has more than {MAX_FACTS_BYTES:,} bytes of metadata; export it again")
    return parse(
        {name: text if name in TEXTS else from_json(text, origin) for name, text in own.items()}, origin
    )


def write_artifact(path: Path, content: bytes) -> None:
    """Write ``content`` atomically; raises ``InputError`` if it is larger than what is read back."""
    if len(content) > MAX_ARTIFACT_BYTES:
        raise InputError(
            f"{path.name} would have {len(content):,} bytes, more than the {MAX_ARTIFACT_BYTES:,} "
            "that an artifact may have; search with a smaller budget"
        )
    write_atomic(path, content)


def from_json(text: str | bytes, origin: str) -> Any:
    """Parse the JSON of a fact; raises ``InputError`` if it is broken or larger than ``MAX_FACTS_BYTES``."""
    if len(text) > MAX_FACTS_BYTES:
        raise InputError(
            f"{origin} has {len(text):,} bytes of metadata, more than the {MAX_FACTS_BYTES:,} that are read"
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{origin} has broken metadata: {error}; export it again") from error


def _scores(graph: Graph) -> dict[str, Any]:
    if graph.task == "classification":
        return {"score_exponent": graph.head.exponent}
    return {"task": graph.task, "score_exponents": list(graph.score_exponents())}


def _neurons(node: Lif) -> dict[str, Any]:
    threshold = as_int(node.threshold, f"{node.name}.threshold")
    return {
        "leak": {"form": node.leak.form, "shift": node.leak.shift},
        "reset": node.reset,
        "exponents": as_int(node.exponent, f"{node.name}.exponent").tolist(),
        "thresholds": {"min": int(threshold.min()), "max": int(threshold.max())},
    }


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


_Form = Callable[[Any], bool]

_FORMS: dict[str, _Form] = {
    "generator": lambda value: isinstance(value, str) and len(value) <= 100 and value.isprintable(),
    "form": lambda value: value in get_args(Form),
    "profile": lambda value: isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable(),
    "graph_sha256": lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)),
    "time_steps": lambda value: type(value) is int and 1 <= value <= MAX_TIME_STEPS,
    "labels": lambda value: isinstance(value, list) and all(isinstance(label, str) for label in value),
    "neurons": lambda value: isinstance(value, dict),
}

_SCORES: dict[Any, dict[str, _Form]] = {
    "classification": {"score_exponent": lambda value: type(value) is int},
    "regression": {
        "task": lambda value: value == "regression",
        "score_exponents": lambda value: isinstance(value, list) and all(type(each) is int for each in value),
    },
}
