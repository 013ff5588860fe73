from __future__ import annotations

import pytest
import torch

from toolchain.training.augmentation import mirrored, shifted

SHARE = 1 / 16


def test_images_move_each_by_its_own_offset_and_nothing_else_changes() -> None:
    pixels = torch.zeros(200, 2, 16, 32, dtype=torch.uint8)
    pixels[:, 0, 5, 7] = 9
    pixels[:, 1, 5, 8] = 200
    moved = shifted(pixels, SHARE, torch.Generator().manual_seed(0))
    assert moved.shape == pixels.shape and moved.dtype == torch.uint8
    assert (moved.sum((1, 2, 3)) == 209).all()
    places = {tuple(place) for place in (moved[:, 0] == 9).nonzero()[:, 1:].tolist()}
    assert places == {(5 + dy, 7 + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
    first, second = (moved[:, 0] == 9).nonzero(), (moved[:, 1] == 200).nonzero()
    assert (second - first == torch.tensor([0, 0, 1])).all()  # channels move together


def test_frames_of_a_sample_move_together() -> None:
    pixels = torch.randint(0, 256, (20, 3, 2, 16, 16), dtype=torch.uint8)
    moved = shifted(pixels, SHARE, torch.Generator().manual_seed(0))
    together = shifted(pixels.reshape(20, 6, 16, 16), SHARE, torch.Generator().manual_seed(0))
    assert (moved != pixels).any() and (moved == together.reshape(pixels.shape)).all()


def test_what_leaves_the_image_is_lost_and_what_comes_in_is_black() -> None:
    pixels = torch.full((50, 1, 16, 16), 7, dtype=torch.uint8)
    moved = shifted(pixels, SHARE, torch.Generator().manual_seed(1))
    assert set(moved.unique().tolist()) == {0, 7}
    assert moved[:, :, 1:-1, 1:-1].eq(7).all()


@pytest.mark.parametrize("side", [1, 15])
def test_tiny_images_stay(side: int) -> None:
    pixels = torch.randint(0, 256, (3, 1, side, side), dtype=torch.uint8)
    assert shifted(pixels, SHARE, torch.Generator().manual_seed(0)) is pixels


def test_the_generator_decides() -> None:
    pixels = torch.randint(0, 256, (8, 1, 32, 32), dtype=torch.uint8)
    same = [shifted(pixels, SHARE, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert (same[0] == same[1]).all()


def test_half_of_the_images_are_mirrored_and_the_others_stay() -> None:
    pixels = torch.arange(24, dtype=torch.uint8).reshape(1, 2, 3, 4).repeat(200, 1, 1, 1)
    found = mirrored(pixels, torch.Generator().manual_seed(0))
    turned = (found == pixels.flip(-1)).all(dim=(1, 2, 3))
    assert ((found == pixels).all(dim=(1, 2, 3)) ^ turned).all()
    assert 70 < int(turned.sum()) < 130
