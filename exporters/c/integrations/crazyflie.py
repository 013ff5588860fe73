"""An application of the Crazyflie's app layer, built out of the firmware's tree."""

from __future__ import annotations

from exporters.c.integrations.base import Integration

INTEGRATION = Integration(
    name="crazyflie",
    title="Crazyflie app-layer application",
    use="copy `crazyflie`, write `src/net_application.c`, `make CRAZYFLIE_BASE=PATH/TO/crazyflie-firmware`",
    files={
        "crazyflie/Makefile": "crazyflie/Makefile.j2",
        "crazyflie/app-config": "crazyflie/app-config.j2",
        "crazyflie/Kbuild": "crazyflie/Kbuild.j2",
        "crazyflie/src/Kbuild": "crazyflie/src.Kbuild.j2",
        "crazyflie/src/{prefix}_app.c": "crazyflie/app.c.j2",
        "crazyflie/src/{prefix}_application.h": "application/application.h.j2",
        "crazyflie/src/{prefix}_application.c": "application/application.c.j2",
        "crazyflie/src/{prefix}_serial.h": "crazyflie/serial.h.j2",
        "crazyflie/src/{prefix}_serial.c": "crazyflie/serial.c.j2",
        "crazyflie/src/network/Kbuild": "crazyflie/network.Kbuild.j2",
    },
    network="crazyflie/src/network",
    source=(
        "https://www.bitcraze.io/documentation/repository/crazyflie-firmware/master/userguides/app_layer/ and "
        "https://www.bitcraze.io/documentation/repository/crazyflie-firmware/master/development/oot/"
    ),
)
