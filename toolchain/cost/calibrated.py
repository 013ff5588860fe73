"""The rates that estimates are made with: those measured on the board where its profile is calibrated, else its own."""

from __future__ import annotations

from toolchain.profiles.schema import Profile

_FORMATS = {"cpu": "onnx", "linux": "tflite"}
"""Target of ``artifacts.ON_PROCESSOR`` -> what its keys in ``[calibration]`` begin with."""


def macs_per_second(profile: Profile, target: str) -> float | None:
    """Float32 multiply-accumulates a second of the runtime of ``target``; None where nothing is known."""
    measured = _measured(profile, f"{_FORMATS[target]}_macs_per_second")
    if measured is not None:
        return measured
    return profile.performance.float_macs_per_second if profile.performance else None


def resident_factor(profile: Profile, target: str) -> float:
    """What the runtime of ``target`` takes of the memory that the cost model estimates; 1 where it was not measured."""
    return _measured(profile, f"{_FORMATS[target]}_resident_factor") or 1.0


def cycles_per_instruction(profile: Profile) -> float | None:
    """Cycles for an instruction that an emulator counts; None where they were not measured."""
    return _measured(profile, "cycles_per_instruction")


def cycles_per_estimated_instruction(profile: Profile) -> float | None:
    """Cycles for an instruction that the cost model predicts; those of an emulated one if they were not measured."""
    return _measured(profile, "cycles_per_estimated_instruction") or cycles_per_instruction(profile)


def label(profile: Profile) -> str:
    """How estimates of a calibrated board are labelled; empty where the board is not calibrated."""
    found = profile.calibration
    return f"calibrated on {found.board}, {found.measured_on}" if found else ""


def _measured(profile: Profile, key: str) -> float | None:
    found: float | None = getattr(profile.calibration, key, None)
    return found
