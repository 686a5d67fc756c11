"""A colour profile has room for names: its description, copyright, device texts and private tags."""

import struct

from PIL import ImageCms

from tests.slides.planted import Plant


def profile(plant: Plant) -> bytes:
    """Return a valid sRGB profile, (bytes), with a token in each of its texts and in a private tag."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = dict(_tags(plain))
    for name in ("desc", "cprt", "dmnd", "dmdd"):
        tags[name] = _text_in_utf16(plant(f"ICC {name}"))
    tags["zzNM"] = b"text" + bytes(4) + plant("ICC private tag").encode() + b"\0"
    return _assemble(plain[:128], tags)


def _tags(plain: bytes) -> list[tuple[str, bytes]]:
    (count,) = struct.unpack_from(">I", plain, 128)
    entries = [struct.unpack_from(">4sII", plain, 132 + 12 * k) for k in range(count)]
    return [(name.decode(), plain[at : at + length]) for name, at, length in entries]


def _text_in_utf16(text: str) -> bytes:
    raw = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(raw), 28) + raw


def _assemble(head: bytes, tags: dict[str, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 132 + 12 * len(tags)
    for name, raw in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(body), len(raw))
        body += raw + bytes(-len(raw) % 4)
    whole = head[4:] + table + body
    return struct.pack(">I", len(whole) + 4) + whole
