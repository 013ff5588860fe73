"""A PlatformIO library, used where it lies: ``lib_deps = symlink://PATH/TO/artifacts/c``."""

from __future__ import annotations

from exporters.c.integrations.base import Integration

INTEGRATION = Integration(
    name="platformio",
    title="PlatformIO library",
    use="`lib_deps = symlink://RUN/artifacts/c` in `platformio.ini`",
    files={"library.json": "platformio/library.json.j2"},
    source="https://docs.platformio.org/en/latest/manifests/library-json/index.html",
)
