"""Every tool, by its name in profiles."""

from __future__ import annotations

from toolchain.flashing.tools.base import Tool
from toolchain.flashing.tools.cfloader import Cfloader
from toolchain.flashing.tools.dfu_util import DfuUtil
from toolchain.flashing.tools.esptool import Esptool
from toolchain.flashing.tools.gdb import Gdb
from toolchain.flashing.tools.openocd import Openocd
from toolchain.flashing.tools.picotool import Picotool
from toolchain.flashing.tools.px_uploader import PxUploader
from toolchain.flashing.tools.pyocd import Pyocd
from toolchain.flashing.tools.stm32loader import Stm32loader
from toolchain.flashing.tools.uf2 import Uf2

TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Pyocd(),
        Openocd(),
        Gdb(),
        DfuUtil(),
        Stm32loader(),
        Picotool(),
        Uf2(),
        Cfloader(),
        PxUploader(),
        Esptool(),
    )
}
"""Tools that write flash; Linux boards are reached with ``toolchain.flashing.ssh``."""
