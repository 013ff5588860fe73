"""A module of Zephyr: a library of the application's build, with options in its Kconfig."""

from __future__ import annotations

from exporters.c.integrations.base import Integration

INTEGRATION = Integration(
    name="zephyr",
    title="Zephyr module",
    use="`west build -b BOARD APP -- -DZEPHYR_EXTRA_MODULES=RUN/artifacts/c -DCONFIG_SPIKENAS_NET=y`",
    files={
        "zephyr/module.yml": "zephyr/module.yml.j2",
        "zephyr/CMakeLists.txt": "zephyr/CMakeLists.txt.j2",
        "zephyr/Kconfig": "zephyr/Kconfig.j2",
        "zephyr/{prefix}_self_test.c": "zephyr/self_test.c.j2",
    },
    source=(
        "https://docs.zephyrproject.org/latest/develop/modules.html and "
        "https://docs.zephyrproject.org/latest/build/cmake-ref/module/extensions.html"
    ),
)
