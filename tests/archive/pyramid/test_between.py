"""Levels that are made on request, and the ladder of levels that a viewer climbs."""

import io

import numpy as np
import pytest
from PIL import Image

from archive.errors import InvalidValue, TileOutsideLevel
from archive.geometry import Size
from archive.pyramid.between import BetweenLevel, area_average, viewer_levels
from archive.pyramid.layout import Coding
from archive.pyramid.reader import Pyramid
from tests.archive.pyramid.conftest import StoredScan, picture


@pytest.mark.parametrize("factor", [2, 4])
def test_a_tile_in_between_is_the_area_average_of_the_larger_level(stored_scan: StoredScan, factor: int) -> None:
    truth = picture(301, 203)
    height, width = -(-203 // factor), -(-301 // factor)
    expected = np.empty((height, width, 3))
    for y in range(height):
        for x in range(width):
            expected[y, x] = truth[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor].mean((0, 1))
    with Pyramid.open(stored_scan(truth, coding=Coding.LOSSLESS)) as pyramid:
        level = BetweenLevel(pyramid.level(0), factor)
        assert level.size == Size(width, height)
        assert level.downsample == factor
        for row in range(level.rows):
            for column in range(level.columns):
                made = level.decoded_tile(column, row)
                part = expected[row * 64 : (row + 1) * 64, column * 64 : (column + 1) * 64]
                assert made.shape == part.shape
                assert np.abs(made - part).max() < 1  # a block cut by the corner is rounded down


def test_a_tile_is_served_as_a_jpeg_of_the_full_tile_size(stored_scan: StoredScan) -> None:
    with Pyramid.open(stored_scan(picture(301, 203))) as pyramid:
        level = BetweenLevel(pyramid.level(0), 2)
        assert Image.open(io.BytesIO(level.jpeg_tile(level.columns - 1, level.rows - 1))).size == (64, 64)
        with pytest.raises(TileOutsideLevel):
            level.jpeg_tile(level.columns, 0)


def test_a_level_in_between_is_smaller(stored_scan: StoredScan) -> None:
    with Pyramid.open(stored_scan(picture(64, 64))) as pyramid, pytest.raises(InvalidValue):
        BetweenLevel(pyramid.level(0), 1)


def test_an_aperio_ladder_gets_the_rungs_that_its_scanner_leaves_out(stored_scan: StoredScan) -> None:
    with Pyramid.open(stored_scan(picture(640, 320), picture(160, 80), picture(40, 20))) as pyramid:
        rungs = viewer_levels(pyramid)
        assert [round(level.downsample) for level in rungs] == [1, 2, 4, 8, 16]
        assert [isinstance(level, BetweenLevel) for level in rungs] == [False, True, False, True, False]


@pytest.mark.parametrize("smaller", [(149, 99), (150, 100), (152, 101)])
def test_a_level_of_about_half_needs_nothing_in_between(stored_scan: StoredScan, smaller: tuple[int, int]) -> None:
    with Pyramid.open(stored_scan(picture(300, 200), picture(*smaller))) as pyramid:
        assert len(viewer_levels(pyramid)) == 2


def test_averaging_keeps_a_flat_colour() -> None:
    flat = np.full((37, 53, 3), (10, 128, 250), np.uint8)
    assert (area_average(flat, 4) == (10, 128, 250)).all()
