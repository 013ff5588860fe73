"""What a Linux board tells of itself: model, system, temperature, clock, and whether it throttles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.verification.onboard.connection import Connection

# Each value is cut short on the board, and none is waited for; $1 is a folder before /proc and /sys, for tests.
SCRIPT = r"""
echo spikenas-state
say() { printf "%s\t%s\n" "$1" "$2"; }
say model "$(tr -d '\000' < "$1/proc/device-tree/model" 2> /dev/null | head -c 100 | head -n 1)"
say machine "$(uname -m)"
say system "$(. "$1/etc/os-release" 2> /dev/null; printf %s "$PRETTY_NAME" | head -c 100)"
say kernel "$(uname -r | head -c 100)"
for each in "$1"/sys/class/thermal/thermal_zone*/temp; do
  [ -r "$each" ] && say temperature "$(head -c 20 "$each" 2> /dev/null)"
done
for each in "$1"/sys/devices/system/cpu/cpu*/cpufreq; do
  [ -r "$each/scaling_cur_freq" ] && say clock "$(head -c 20 "$each/scaling_cur_freq")"
  [ -r "$each/cpuinfo_max_freq" ] && say highest "$(head -c 20 "$each/cpuinfo_max_freq")"
done
for each in "$1"/sys/class/thermal/cooling_device*; do
  case "$(head -c 40 "$each/type" 2> /dev/null)" in
    *cpufreq* | *cpu-balanced* | *Processor*) say cooling "$(head -c 20 "$each/cur_state" 2> /dev/null)" ;;
  esac
done
command -v vcgencmd > /dev/null && say throttled "$(vcgencmd get_throttled 2> /dev/null | head -c 40)"
true
"""

_LINES = 1000
_TEXT = 100
_HOTTEST_C, _FASTEST_MHZ = 200.0, 20_000.0
"""Beyond these a sensor says nothing: unconnected ones read as 255 or as millions."""

# https://www.raspberrypi.com/documentation/computers/os.html, get_throttled: what is so now.
_THROTTLED_NOW = 0b1110


@dataclass(frozen=True)
class State:
    """A board at one moment; None or empty is what its system does not tell.

    ``temperature_c`` is the hottest zone's, ``clock_mhz`` the slowest core's, ``highest_mhz`` what the fastest may
    reach. ``throttled``: cooling holds a core's clock down, or (Raspberry Pi) the firmware does.
    """

    model: str
    machine: str
    system: str
    kernel: str
    temperature_c: float | None
    clock_mhz: float | None
    highest_mhz: float | None
    throttled: bool | None


def read_state(connection: Connection) -> State:
    """What the board tells now; raises ``InputError`` if it is not reached."""
    found = connection.run(["sh", "-c", SCRIPT, "sh", ""])
    return parse_state(found.output.decode(errors="replace"))


def parse_state(text: str) -> State:
    """``text`` as ``SCRIPT`` prints it, after what a login script may have; what is no number is left out."""
    told: dict[str, list[str]] = {}
    _, _, told_text = text.partition("spikenas-state\n")
    for line in told_text.splitlines()[:_LINES]:
        key, _, value = line.partition("\t")
        printable = "".join(each for each in value if each.isprintable())
        told.setdefault(key, []).append(" ".join(printable.split())[:_TEXT])
    temperatures = [each / 1000 for each in _numbers(told.get("temperature", [])) if each < 1000 * _HOTTEST_C]
    clocks, highest = (
        [each / 1000 for each in _numbers(told.get(key, [])) if 0 < each < 1000 * _FASTEST_MHZ]
        for key in ("clock", "highest")
    )
    return State(
        model=_first(told, "model"),
        machine=_first(told, "machine"),
        system=_first(told, "system"),
        kernel=_first(told, "kernel"),
        temperature_c=max(temperatures, default=None),
        clock_mhz=min(clocks, default=None),
        highest_mhz=max(highest, default=None),
        throttled=_throttled(told),
    )


def _throttled(told: dict[str, list[str]]) -> bool | None:
    cooling = list(_numbers(told.get("cooling", [])))
    firmware = _first(told, "throttled").partition("0x")[2]
    flags = (
        int(firmware, 16) if firmware and all(each in "0123456789abcdefABCDEF" for each in firmware) else None
    )
    if flags is None and not cooling:
        return None
    return any(cooling) or bool((flags or 0) & _THROTTLED_NOW)


def _first(told: dict[str, list[str]], key: str) -> str:
    return next(iter(told.get(key, [])), "")


def _numbers(values: Iterable[str]) -> Iterable[int]:
    return (int(value) for value in values if value.isascii() and value.isdigit())
