"""The exported sources as a part of somebody else's build: one module each, all in one catalog.

An integration is data: which files it adds to ``artifacts/c``, from which templates. Libraries (CMake, Zephyr,
PlatformIO) use the sources where they lie, and are built outside of the folder. Projects (Crazyflie, PX4, Arduino) have
a copy of them, because they are meant to be taken to the user's own repository: what the user writes must not lie among
artifacts, whose hashes `flash` checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exporters.c import templates
from exporters.c.integrations import arduino, cmake, crazyflie, platformio, px4, zephyr
from exporters.c.integrations.base import Integration
from toolchain.errors import InputError

INTEGRATIONS: dict[str, Integration] = {
    module.INTEGRATION.name: module.INTEGRATION
    for module in (cmake, crazyflie, px4, zephyr, arduino, platformio)
}
"""All that there are, by name."""

ALWAYS = ("cmake",)
"""Written whatever is asked for: one small file, in nobody's way."""


def chosen(names: Iterable[str]) -> tuple[Integration, ...]:
    """The integrations of ``names``, each once, behind those that are always written.

    Raises ``InputError`` naming what there is.
    """
    found = dict.fromkeys((*ALWAYS, *names))
    for name in found:
        if name not in INTEGRATIONS:
            raise InputError(
                f"no integration is called {name!r:.40}; there are {', '.join(INTEGRATIONS)}, and the plain sources"
            )
    return tuple(INTEGRATIONS[name] for name in found)


def written(
    integrations: Iterable[Integration], network: Mapping[str, str], context: Mapping[str, object]
) -> dict[str, str]:
    """Path below ``artifacts/c`` and text of each file that ``integrations`` add.

    ``network`` holds name and text of the network's sources and headers, without what a bare-metal image needs
    around them. ``context`` is what the templates of the sources read.
    """
    units = sorted(name for name in network if name.endswith(".c"))
    known = {
        **context,
        "units": units,
        # No network's prefix may begin as the kernels' names do.
        "kernels": [name for name in units if name.startswith(("snn_", "spikenas_"))],
        "own": [name for name in units if not name.startswith(("snn_", "spikenas_"))],
        "objects": [f"{name.removesuffix('.c')}.o" for name in units],
        # Arduino and PlatformIO know semantic versions alone, and Python's may have more behind the third number.
        "release": ".".join(str(context["version"]).split(".")[:3]),
    }
    files: dict[str, str] = {}
    for integration in integrations:
        prefix = str(context["prefix"])
        for path, template in integration.files.items():
            files[path.format(prefix=prefix)] = templates.render(f"integrations/{template}", known)
        if integration.network is not None:
            folder = integration.network.format(prefix=prefix)
            files |= {f"{folder}/{name}": text for name, text in network.items()}
    return files
