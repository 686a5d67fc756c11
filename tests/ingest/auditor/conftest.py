"""A made-up case, its needles, and folders to plant things in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ingest.auditor import Audit, IdentifierClass, KnownIdentifier, Needles, Vocabulary, audit_folder

Class = IdentifierClass

CASE = (
    (Class.PATIENT_NUMBER, "00123456"),
    (Class.NAME, "DOE^JANE"),
    (Class.BIRTH_DATE, "1961-02-03"),
    (Class.CASE_NUMBER, "S25-10432"),
    (Class.BARCODE, "B7731-0042-X"),
    (Class.FILE_NAME, "pancreas biopsy_77 A3"),
    (Class.FOLDER_NAME, "ward nineteen"),
    (Class.SOURCE_METADATA, "Aperio Image Library v11.2.1 \r\n46000x32914|AppMag = 20|Title = Springfield General"),
)

TERMS = (
    *(
        "zarr.json",
        "c",
        "y",
        "x",
        "name",
        "type",
        "shape",
        "attributes",
        "ome",
        "version",
        "0.5",
        "multiscales",
        "axes",
    ),
    *(
        "datasets",
        "path",
        "scale",
        "translation",
        "coordinateTransformations",
        "channel",
        "space",
        "unit",
        "micrometer",
    ),
    *("uint8", "zarr_format", "node_type", "group", "array", "data_type", "fill_value", "codecs", "configuration"),
    *("sharding_indexed", "chunk_shape", "imagecodecs_jpeg", "crc32c", "coverslip", "Aperio", "JPEG"),
)


def needles_for(*known: tuple[Class, str], terms: tuple[str, ...] = (), numbers: tuple[float, ...] = ()) -> Needles:
    """Make needles, with the words of an archive as vocabulary."""
    vocabulary = Vocabulary(frozenset((*TERMS, *terms)), frozenset(numbers))
    return Needles.of((KnownIdentifier(kind, text) for kind, text in known), vocabulary)


@pytest.fixture(scope="session")
def needles() -> Needles:
    """Make the needles of the made-up case."""
    return needles_for(*CASE)


@pytest.fixture(scope="session")
def coded() -> bytes:
    """Make bytes like those of compressed pixels."""
    return np.random.default_rng(7).bytes(1 << 17)


@pytest.fixture
def audit(tmp_path: Path) -> Callable[[dict[str, bytes], Needles], Audit]:
    """Write files into a folder and audit it."""
    count = 0

    def write_and_audit(files: dict[str, bytes], needles: Needles) -> Audit:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return audit_folder(folder, needles)

    return write_and_audit
