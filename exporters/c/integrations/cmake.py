"""A CMake target, ``spikenas::PREFIX``, for ``add_subdirectory``; with ESP-IDF, a component of its build."""

from __future__ import annotations

from exporters.c.integrations.base import Integration

INTEGRATION = Integration(
    name="cmake",
    title="CMake target, ESP-IDF component",
    use="`add_subdirectory(RUN/artifacts/c net)`, `target_link_libraries(app PRIVATE spikenas::net)`",
    files={"CMakeLists.txt": "cmake/CMakeLists.txt.j2"},
    source=(
        "https://cmake.org/cmake/help/v3.16/manual/cmake-buildsystem.7.html, and for ESP-IDF "
        "https://docs.espressif.com/projects/esp-idf/en/stable/esp32/api-guides/build-system.html"
    ),
)
