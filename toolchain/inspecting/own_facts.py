"""What our own artifacts state of their network, in the form that ``inspect`` shows."""

from __future__ import annotations

from typing import Any

from toolchain.errors import InputError
from toolchain.inspecting.structure import Neurons


def neurons(facts: dict[str, Any], origin: str) -> tuple[Neurons, ...]:
    """Leak, reset, exponents and thresholds of every node, from an artifact's facts.

    Raises ``InputError`` if they are not what the exporters write.
    """
    try:
        return tuple(_neurons(str(name), stated) for name, stated in facts["neurons"].items())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{origin} has broken metadata: neurons; export it again") from error


def leak_text(form: str, shift: int) -> str:
    """A leak for people."""
    return {"none": "none", "subtract": f"u - (u >> {shift})", "shift": f"u >> {shift}"}[form]


def _neurons(name: str, stated: dict[str, Any]) -> Neurons:
    exponents = [int(exponent) for exponent in stated["exponents"]]
    thresholds = stated["thresholds"]
    return Neurons(
        name,
        leak_text(stated["leak"]["form"], int(stated["leak"]["shift"])),
        str(stated["reset"]),
        (min(exponents), max(exponents)),
        (int(thresholds["min"]), int(thresholds["max"])),
    )
