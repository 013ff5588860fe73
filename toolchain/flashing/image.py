"""The run's own firmware as an image for the board's flash."""

from __future__ import annotations

from pathlib import Path

from exporters.c.build import BINARY, ELF
from exporters.c.image import flat
from toolchain.errors import InputError
from toolchain.files import read_bytes
from toolchain.flashing.job import Image
from toolchain.profiles.schema import Profile, Region
from toolchain.verification.elf import MAX_ELF_BYTES, read_elf


def firmware_image(artifacts: Path) -> Image:
    """``firmware.bin``; raises ``InputError`` if it is not what ``firmware.elf`` loads, byte for byte."""
    linked = read_elf(artifacts / ELF)
    address, data = flat([(part.load_address, part.data) for part in linked.segments if part.data])
    if read_bytes(artifacts / BINARY, MAX_ELF_BYTES) != data:
        raise InputError(
            f"{artifacts / BINARY} is not what {artifacts / ELF} loads; run `spikenas-deploy export` again"
        )
    return Image(artifacts / BINARY, address, data, artifacts / ELF)


def require_place(image: Image, profile: Profile) -> Region:
    """The flash region that ``image`` lies in, wholly within what the profile gives to it; raises ``InputError``.

    What is reserved there, a bootloader above all, is never written.
    """
    region = flash_at(profile, image.address)
    span = f"{image.path} goes to 0x{image.address:08x} to 0x{image.end:08x}"
    if region is None:
        raise InputError(f"{span}, where {profile.name} has no flash; export the network for this profile")
    if image.address < region.origin + region.bootloader_bytes:
        raise InputError(
            f"{span}, into the bootloader of {profile.name} (up to 0x{region.origin + region.bootloader_bytes:08x}), "
            "which is never written"
        )
    if (
        image.address < region.available_origin
        or image.end > region.available_origin + region.available_bytes
    ):
        raise InputError(
            f"{span}, and {profile.name} gives 0x{region.available_origin:08x} to "
            f"0x{region.available_origin + region.available_bytes:08x} of {region.name}; export the network again"
        )
    return region


def flash_at(profile: Profile, address: int) -> Region | None:
    """The flash region that holds ``address``."""
    return next(
        (
            region
            for region in profile.regions
            if region.kind == "flash" and region.origin <= address < region.origin + region.size_bytes
        ),
        None,
    )
