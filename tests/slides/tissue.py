"""A picture that compresses and looks like stained tissue: pink stroma, purple nuclei, near-white glass."""

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, RGB; or (height, width) uint8, grey."""

GLASS = np.array([243, 241, 244], np.float32)
STROMA = np.array([222, 150, 190], np.float32)
CYTOPLASM = np.array([190, 120, 175], np.float32)
NUCLEUS = np.array([96, 62, 138], np.float32)


def tissue(width: int, height: int, seed: int = 7) -> Picture:
    """Draw tissue, (height, width, 3) uint8 RGB; the same picture for the same seed."""
    rng = np.random.default_rng(seed)
    folds = _clouds(width, height, 24, rng)
    covered = np.clip((_clouds(width, height, 180, rng) + 0.25) * 6, 0, 1)[..., None]
    stained = STROMA + (CYTOPLASM - STROMA) * np.clip(folds + 0.5, 0, 1)[..., None]
    stained += 14 * _clouds(width, height, 5, rng)[..., None]
    picture = GLASS + (stained - GLASS) * covered
    picture += (NUCLEUS - picture) * (_nuclei(width, height, rng)[..., None] * covered)
    picture += rng.normal(0, 1.5, (height, width, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def grey(picture: Picture) -> Picture:
    """Return the picture's brightness, (height, width) uint8."""
    return (picture @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)


def reduced(picture: Picture, width: int, height: int) -> Picture:
    """Return the picture at a smaller size, each pixel the mean of the whole pixels that it covers."""
    rows = np.linspace(0, picture.shape[0], height + 1).astype(int)
    columns = np.linspace(0, picture.shape[1], width + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(picture.astype(np.float64), rows[:-1], 0), columns[:-1], 1)
    area = np.diff(rows)[:, None] * np.diff(columns)[None, :]
    return np.asarray((sums / area.reshape(area.shape + (1,) * (picture.ndim - 2))).round(), np.uint8)


def _clouds(width: int, height: int, grain: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Smooth random values of about -1 to 1 whose features are about ``grain`` px wide, (height, width)."""
    coarse = rng.normal(0, 0.6, (height // grain + 3, width // grain + 3)).astype(np.float32)
    rows, columns = np.arange(height) / grain, np.arange(width) / grain
    top, left = rows.astype(int), columns.astype(int)
    down, right = _eased(rows - top)[:, None], _eased(columns - left)[None, :]
    wide = coarse[:, left] + (coarse[:, left + 1] - coarse[:, left]) * right
    return np.asarray(wide[top] + (wide[top + 1] - wide[top]) * down, np.float32)


def _eased(part: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.asarray(part * part * (3 - 2 * part), np.float32)


def _nuclei(width: int, height: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """How much nucleus there is at each place, 0 to 1, (height, width)."""
    density = np.zeros((height, width), np.float32)
    for _ in range(width * height // 700):
        radius = rng.uniform(3, 6.5)
        x, y, slant = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.6, 1.5)
        left, top = max(0, int(x - 12)), max(0, int(y - 12))
        rows, columns = np.ogrid[top : min(height, top + 24), left : min(width, left + 24)]
        distance = np.hypot((columns - x) * slant, (rows - y) / slant) / radius
        patch = density[top : top + 24, left : left + 24]
        np.maximum(patch, np.clip(3 * (1 - distance), 0, 0.9), out=patch)
    return density
