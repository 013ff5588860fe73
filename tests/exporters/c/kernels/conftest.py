"""The machine on which a test runs kernels: images are linked once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporters.c import compilers
from tests.exporters.c.kernels import host, machines
from tests.exporters.c.kernels.kernels import Kernels
from tests.exporters.c.kernels.suite import HOST


@pytest.fixture(scope="session")
def kernel_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the linked images, which the processes of a test run share."""
    base = tmp_path_factory.getbasetemp()
    # Side by side, each process has a folder of its own within the run's.
    folder = (base.parent if base.name.startswith("popen-") else base) / "kernel_images"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def machine(
    request: pytest.FixtureRequest,
    kernel_images: Path,
    tmp_path_factory: pytest.TempPathFactory,
    require_tool: Callable[[str], str],
    require_package: Callable[[str], None],
) -> Iterator[Kernels]:
    """All kernels on the machine of ``suite.UNICORN``, ``suite.QEMU`` or ``suite.HOST`` that a test is given."""
    if request.param == HOST:
        with host.opened(require_tool("gcc"), tmp_path_factory.mktemp("host")) as kernels:
            yield kernels
        return
    emulator, core, compiler = request.param
    if emulator == "unicorn":
        require_package("unicorn")
    else:
        require_tool("qemu-system-arm")
    if compiler == "zig":
        require_package("ziglang")
    elif compiler not in compilers.available():
        require_tool("arm-none-eabi-gcc")
    with machines.opened(emulator, machines.link(core, compiler, kernel_images), core) as kernels:
        yield kernels
