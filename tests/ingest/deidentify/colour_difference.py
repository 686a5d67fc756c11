"""How different two colours look: CIEDE2000, after Sharma, Wu and Dalal (Color Res. Appl. 30, 2005)."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Lab = npt.NDArray[np.float64]

INTENTS = [ImageCms.Intent.PERCEPTUAL, ImageCms.Intent.RELATIVE_COLORIMETRIC]


def chart() -> Image.Image:
    """Draw 17 steps of each channel, in all combinations."""
    steps = np.linspace(0, 255, 17).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(17, 289, 3))


def shown(profile: bytes, picture: Image.Image, intent: ImageCms.Intent) -> np.ndarray:
    """Give what a viewer shows of a picture that has this profile: (h, w, 3) uint8 sRGB."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), picture.mode, "RGB", intent)
    return np.asarray(ImageCms.applyTransform(picture, transform))


def assert_same_colours(before: bytes, after: bytes, picture: Image.Image) -> None:
    for intent in INTENTS:
        one, other = shown(before, picture, intent), shown(after, picture, intent)
        assert one.std() > 20, "the chart has colours"
        assert ciede2000(lab_of_srgb(one), lab_of_srgb(other)).max() < 1


def lab_of_srgb(pixels: npt.NDArray[np.uint8]) -> Lab:
    """Turn (..., 3) uint8 sRGB into CIELAB under D65."""
    value = pixels / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = linear @ matrix.T / matrix.sum(1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def ciede2000(one: Lab, other: Lab) -> npt.NDArray[np.float64]:
    """Give the difference of each pair of colours, (..., 3) CIELAB each."""
    mean_chroma = (np.hypot(*_ab(one)) + np.hypot(*_ab(other))) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    l1, c1, h1 = _polar(one, stretch)
    l2, c2, h2 = _polar(other, stretch)
    apart = (h2 - h1 + 180) % 360 - 180
    hue = np.where(c1 * c2 == 0, h1 + h2, np.where(np.abs(h1 - h2) <= 180, (h1 + h2) / 2, ((h1 + h2 + 360) / 2) % 360))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.2 * _cos(4 * hue - 63)
    d_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    d_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    d_hue = np.where(c1 * c2 == 0, 0, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(apart / 2))) / (1 + 0.015 * chroma * t)
    turn = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    twist = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * np.sin(turn)
    return np.sqrt(d_light**2 + d_chroma**2 + d_hue**2 + twist * d_chroma * d_hue)


def _ab(lab: Lab) -> tuple[Lab, Lab]:
    return lab[..., 1], lab[..., 2]


def _polar(lab: Lab, stretch: Lab) -> tuple[Lab, Lab, Lab]:
    a, b = lab[..., 1] * stretch, lab[..., 2]
    return lab[..., 0], np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _cos(degrees: Lab) -> Lab:
    return np.asarray(np.cos(np.radians(degrees)))
