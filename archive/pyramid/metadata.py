"""Write what `archive.pyramid.layout` describes as the ``zarr.json`` files of an OME-Zarr 0.5 group."""

from typing import Any

import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, TransposeCodec, ZstdCodec
from zarr.storage import StoreLike

from archive.pyramid.codec import JpegCodec
from archive.pyramid.layout import ZSTD_LEVEL, Coding, ScanLayout


def write_metadata(store: StoreLike, scan: ScanLayout) -> None:
    """Write the group's and every array's ``zarr.json``."""
    group = zarr.create_group(store, zarr_format=3, attributes={"ome": _multiscales(scan), "coverslip": _own(scan)})
    for number, level in enumerate(scan.levels):
        group.create_array(
            str(number),
            shape=(level.channels, level.size.height, level.size.width),
            chunks=(level.tile_channels, level.tile.height, level.tile.width),
            shards=(level.tile_channels, level.tile.height * level.grid.rows, level.tile.width * level.grid.columns),
            dtype=str(level.pixel_type),
            fill_value=level.nothing,
            dimension_names=("c", "y", "x"),
            config={"write_empty_chunks": True},
            **_codecs(level.coding),
        )


def _codecs(coding: Coding) -> dict[str, Any]:
    if coding is Coding.JPEG:
        return {
            "filters": [TransposeCodec(order=(1, 2, 0))],
            "serializer": JpegCodec(),
            "compressors": [Crc32cCodec()],
        }
    return {"serializer": BytesCodec(), "compressors": [ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()]}


def _multiscales(scan: ScanLayout) -> dict[str, Any]:
    """OME-Zarr 0.5 section 2.4: axes, and one scale (and half-pixel translation) per level."""
    unit = {"unit": "micrometer"} if scan.mpp else {}
    base = (scan.mpp.x, scan.mpp.y) if scan.mpp else (1.0, 1.0)
    datasets = []
    for number in range(len(scan.levels)):
        dx, dy = scan.downsample(number)
        scale = [1.0, base[1] * dy, base[0] * dx]
        shift = [0.0, base[1] * (dy - 1) / 2, base[0] * (dx - 1) / 2]
        transformations: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if number:
            transformations.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(number), "coordinateTransformations": transformations})
    axes = [{"name": "c", "type": "channel"}] + [{"name": n, "type": "space", **unit} for n in ("y", "x")]
    omero = {"omero": _omero(scan)} if scan.channels else {}
    return {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}], **omero}


def _omero(scan: ScanLayout) -> dict[str, Any]:
    """OME-Zarr 0.5 section 2.5: how a viewer shows the channels."""
    highest = scan.levels[0].pixel_type.highest
    channels = [
        {
            "label": channel.name,
            "color": channel.colour,
            "active": True,
            "window": {"min": 0, "max": highest, "start": channel.low, "end": channel.high},
        }
        for channel in scan.channels
    ]
    return {"channels": channels}


def _own(scan: ScanLayout) -> dict[str, Any]:
    own: dict[str, Any] = {"layout": 1, "origins": [str(level.origin) for level in scan.levels]}
    if scan.objective_power is not None:
        own["objective_power"] = scan.objective_power
    return own
