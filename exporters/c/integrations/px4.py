"""An external module of PX4: a command of its shell that runs the network in a task.

The module is a plain command and no class: PX4's ``ModuleBase`` differs between its versions, the few calls used here
do not.
"""

from __future__ import annotations

from exporters.c.integrations.base import Integration

_MODULE = "px4/src/modules/spikenas_{prefix}"

INTEGRATION = Integration(
    name="px4",
    title="PX4 external module",
    use="copy `px4`, write `net_application.c`, `make px4_fmu-v6c_default EXTERNAL_MODULES_LOCATION=PATH/TO/px4`",
    files={
        "px4/src/CMakeLists.txt": "px4/src.CMakeLists.txt.j2",
        f"{_MODULE}/CMakeLists.txt": "px4/CMakeLists.txt.j2",
        f"{_MODULE}/Kconfig": "px4/Kconfig.j2",
        f"{_MODULE}/spikenas_{{prefix}}.c": "px4/module.c.j2",
        f"{_MODULE}/{{prefix}}_application.h": "application/application.h.j2",
        f"{_MODULE}/{{prefix}}_application.c": "application/application.c.j2",
        f"{_MODULE}/{{prefix}}_serial.h": "px4/serial.h.j2",
        f"{_MODULE}/{{prefix}}_serial.c": "px4/serial.c.j2",
    },
    network=f"{_MODULE}/network",
    source=(
        "https://docs.px4.io/main/en/advanced/out_of_tree_modules.html and "
        "https://docs.px4.io/main/en/modules/hello_sky.html"
    ),
)
