"""Characters that a file for a Linux board takes to say what it is (``exporters.metadata``), at their most.

What training decides is taken at its longest: an exponent of two digits a channel, thresholds of five, a score's
exponent of three characters. So a file is never larger than predicted, and smaller by up to a byte a channel.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from toolchain.cost.amounts import Amount
from toolchain.cost.neurons import Neurons
from toolchain.graph.preprocessing import Preprocessing

_NEURONS = (
    '"": {"leak": {"form": "", "shift": }, "reset": "", "exponents": [], "thresholds": {"min": , "max": }}, '
)
_EXPONENT, _THRESHOLD = len("12, "), len("32767")
_TASK, _SCORE_EXPONENT = '"task": "regression", s[]', len("-54, ")


def neurons_characters(node: Neurons) -> Amount:
    """What is said about one node that fires."""
    said = len(_NEURONS) + node.name + node.dynamics.characters + 2 * _THRESHOLD
    return said + _EXPONENT * node.shape.channels - len(", ")


def data_characters(labels: Sequence[str], preprocessing: Preprocessing, shifts: Sequence[int] = ()) -> int:
    """What is said about the classes, or with ``shifts`` the numbers, and the images."""
    scores = len(_TASK) + _SCORE_EXPONENT * len(shifts) if shifts else 0
    return len(json.dumps(list(labels))) + len(json.dumps(preprocessing.to_dict())) + scores


def name_characters(name: str) -> int:
    """A profile's name, in JSON, which never takes fewer bytes than UTF-8."""
    return len(json.dumps(name)) - len('""')
