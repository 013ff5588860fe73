"""An Arduino library of the 1.5 format (sources below ``src``) with an example sketch."""

from __future__ import annotations

from exporters.c.integrations.base import Integration

_LIBRARY = "arduino/spikenas_{prefix}"

INTEGRATION = Integration(
    name="arduino",
    title="Arduino library",
    use="copy `arduino/spikenas_net` into the sketchbook's `libraries`, open its example",
    files={
        f"{_LIBRARY}/library.properties": "arduino/library.properties.j2",
        f"{_LIBRARY}/examples/run_{{prefix}}/run_{{prefix}}.ino": "arduino/sketch.ino.j2",
    },
    network=f"{_LIBRARY}/src",
    source="https://docs.arduino.cc/arduino-cli/library-specification/",
)
