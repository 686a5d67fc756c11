"""Which JPEG streams may be copied, and what is left behind when they are."""

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archive.pyramid.jpeg import HeaderReader, NotPlainJpeg, plain_header, scan_end
from archive.pyramid.jpeg_header import Header, parse_header, parse_tables
from tests.archive.pyramid.conftest import jpeg, picture

PIXELS = picture(64, 48)
NAME = b"DOE^JANE-1961-02-03"


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def abbreviated(stream: bytes) -> tuple[bytes, bytes]:
    """Split a JPEG file into the stream of its tables, as TIFF tag 347 holds it, and the tile without them."""
    tables, rest, at = b"", b"", 2
    while True:
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        if stream[at + 1] in (0xDB, 0xC4):
            tables += stream[at:end]
        else:
            rest += stream[at:end]
        if stream[at + 1] == 0xDA:
            return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + rest + stream[end:]
        at = end


def rewritten(stream: bytes, shared: bytes | None = None, tag_says_ycbcr: bool = True) -> bytes:
    header = HeaderReader(shared).read(stream)
    start = plain_header(header, ycbcr=header.is_ycbcr(tag_says_ycbcr)) if len(header.components) == 3 else None
    start = start or plain_header(header, ycbcr=False)
    return start + stream[header.length : scan_end(stream, header.length) + 2]


def pixels_of(stream: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(stream)))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("restart", [0, 2])
def test_a_rewritten_tile_decodes_to_the_same_pixels(subsampling: str, restart: int) -> None:
    stream = jpeg(PIXELS, subsampling=subsampling, restart_marker_blocks=restart)
    shared, tile = abbreviated(stream)
    assert np.array_equal(pixels_of(rewritten(tile, shared)), pixels_of(stream))
    assert np.array_equal(pixels_of(rewritten(stream)), pixels_of(stream))


def test_a_grey_tile_decodes_to_the_same_pixels() -> None:
    stream = jpeg(PIXELS[..., 0])
    assert np.array_equal(pixels_of(rewritten(stream)), pixels_of(stream))


def test_the_entropy_coded_data_is_untouched() -> None:
    stream = jpeg(PIXELS)
    data = stream[parse_header(stream).length :]
    assert rewritten(stream).endswith(data)


@pytest.mark.parametrize("marker", [0xFE, *range(0xE0, 0xF0)])
def test_no_comment_and_no_application_segment_travels(marker: int) -> None:
    stream = jpeg(PIXELS)
    named = stream[:2] + segment(marker, NAME) + stream[2:] + NAME
    assert NAME in named
    assert NAME not in rewritten(named)
    assert np.array_equal(pixels_of(rewritten(named)), pixels_of(stream))
    assert parse_header(named).left_behind == parse_header(stream).left_behind + 1


def test_bytes_after_the_end_are_left_behind() -> None:
    assert rewritten(jpeg(PIXELS) + NAME + b"\xff\xd9") == rewritten(jpeg(PIXELS))


def test_a_name_in_an_unused_table_is_left_behind() -> None:
    table = b"\x03" + (NAME * 4)[:64]
    stream = jpeg(PIXELS)
    assert NAME not in rewritten(stream[:2] + segment(0xDB, table) + stream[2:])


def sof_at(stream: bytes) -> int:
    return stream.index(b"\xff\xc0")


BROKEN = {
    "no SOI": lambda s: s[1:],
    "progressive": lambda s: jpeg(PIXELS, progressive=True),
    "cut in its header": lambda s: s[:100],
    "cut in its data": lambda s: s[:-2],
    "a marker in its scan": lambda s: s[:-2] + segment(0xFE, NAME) + s[-2:],
    "a second picture": lambda s: s[:-2] + s,
    "arithmetic coding": lambda s: s[: sof_at(s) + 1] + b"\xc9" + s[sof_at(s) + 2 :],
    "12 bit": lambda s: s[: sof_at(s) + 4] + b"\x0c" + s[sof_at(s) + 5 :],
    "no height": lambda s: s[: sof_at(s) + 5] + b"\0\0" + s[sof_at(s) + 7 :],
    "a missing table": lambda s: abbreviated(s)[1],
    "a segment that runs past the end": lambda s: s[:2] + b"\xff\xfe\xff\xff" + s[2:],
    "a segment too short": lambda s: s[:2] + b"\xff\xfe\x00\x01" + s[2:],
    "two frames": lambda s: s[: sof_at(s)] + s[sof_at(s) : sof_at(s) + 19] + s[sof_at(s) :],
    "CMYK": lambda s: jpeg_cmyk(),
    "nothing": lambda s: b"",
}


def jpeg_cmyk() -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).convert("CMYK").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("harm", BROKEN)
def test_a_stream_that_is_not_plain_is_not_copied(harm: str) -> None:
    with pytest.raises(NotPlainJpeg):
        rewritten(BROKEN[harm](jpeg(PIXELS)))


@settings(max_examples=400, deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 640), st.integers(0, 255)), min_size=1, max_size=6), cut=st.integers(0))
def test_a_damaged_stream_is_refused_or_read_but_never_an_accident(places: list[tuple[int, int]], cut: int) -> None:
    stream = bytearray(jpeg(PIXELS))
    for at, value in places:
        stream[at % len(stream)] = value
    with contextlib.suppress(NotPlainJpeg):
        rewritten(bytes(stream[: len(stream) - cut % 50]))


def test_a_table_stream_that_holds_a_picture_is_refused() -> None:
    with pytest.raises(NotPlainJpeg):
        parse_tables(jpeg(PIXELS))


def named_components(names: bytes, quantisation: bytes = b"\0\1\1", adobe: int | None = None) -> Header:
    """Make a 4:4:4 header whose components have these names and quantisation tables, without JFIF."""
    stream = bytearray(jpeg(PIXELS, subsampling="4:4:4"))
    at, scan = sof_at(stream), stream.index(b"\xff\xda")
    for i in range(3):
        stream[at + 10 + 3 * i], stream[scan + 5 + 2 * i] = names[i], names[i]
        stream[at + 12 + 3 * i] = quantisation[i]
    app14 = segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe)) if adobe is not None else b""
    return parse_header(bytes(stream[:2]) + app14 + bytes(stream[20:]))


@pytest.mark.parametrize("tag", [True, False])
@pytest.mark.parametrize(
    ("header", "ycbcr"),
    [
        (named_components(b"\1\2\3", adobe=0), False),
        (named_components(b"\0\1\2", b"\0\0\0", adobe=1), True),
        (parse_header(jpeg(PIXELS, subsampling="4:4:4")), True),  # JFIF
        (parse_header(jpeg(PIXELS, subsampling="4:2:0")), True),
        (named_components(b"RGB"), False),
        (named_components(b"\0\1\2", b"\0\0\0"), False),  # as libtiff writes RGB
        (named_components(b"\0\1\2"), True),
        (named_components(b"\1\2\3"), True),
    ],
)
def test_the_streams_own_evidence_goes_before_the_files_tag(header: Header, ycbcr: bool, tag: bool) -> None:
    assert header.is_ycbcr(tag) is ycbcr


@pytest.mark.parametrize("tag", [True, False])
def test_without_evidence_the_tag_decides(tag: bool) -> None:
    assert named_components(b"\1\2\3", b"\0\0\0").is_ycbcr(tag) is tag


def test_an_rgb_stream_keeps_its_colours() -> None:
    stream = jpeg(PIXELS, keep_rgb=True, quality=98)
    assert np.array_equal(pixels_of(rewritten(stream)), pixels_of(stream))
    assert np.abs(pixels_of(rewritten(stream)).astype(int) - PIXELS).mean() < 2
