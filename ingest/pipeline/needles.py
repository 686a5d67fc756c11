"""What must not be found in what is stored for a slide, and the words that an archive is written in."""

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from archive.codes import new_key
from archive.consent import Facts, MightIdentify, terms
from archive.fixity import MANIFEST, Manifest, StoredFile
from archive.geometry import MicronsPerPixel, Size
from archive.holdings.commit import Chain, record_text
from archive.holdings.pixels import MAX_CHANNELS, Channel, Coding, LevelLayout, Origin, PixelType, ScanLayout
from archive.holdings.place import COLOUR_PROFILE, PIXELS, RECORD
from archive.records import CaseRecord, Fidelity, ScanRecord, ScanStatus, Scheme, SlideRecord, Stain
from ingest.auditor import IdentifierClass, KnownIdentifier, Needles, Vocabulary
from ingest.deidentify.channels import name_channels
from ingest.pipeline.answers import Description
from ingest.pipeline.source import Source
from ingest.profiles import read_profiles
from ingest.profiles.channel_names import channel_term
from ingest.screening import VERSION

FOLDERS = 2
"""The folder that a file lies in and the one above are often named after a patient or a case; those further up are
the laboratory's own."""


def needles_of(
    known: Iterable[str],
    source: Source,
    found: Description,
    layout: ScanLayout,
    case: CaseRecord,
    slide: SlideRecord,
) -> Needles:
    """Gather all that is known about a case and its file.

    Parameters
    ----------
    known : iterable of str
        What the vault knows about the case.
    source : Source
        The file; its name and its folders' names are identifiers.
    found : Description
        The file's own words.
    layout : ScanLayout
        Its numbers may stand in the metadata.
    case, slide : CaseRecord, SlideRecord
        What the record beside the pixels will tell, in closed terms and codes: they may stand there.
    """
    identifiers = [KnownIdentifier(IdentifierClass.UNSORTED, text) for text in known]
    identifiers += [KnownIdentifier(IdentifierClass.FILE_NAME, file.stem) for file in source.files]
    folders = list(source.path.absolute().parents)[:FOLDERS]
    identifiers += [KnownIdentifier(IdentifierClass.FOLDER_NAME, folder.name) for folder in folders if folder.name]
    identifiers += [KnownIdentifier(IdentifierClass.SOURCE_METADATA, text) for text in found.properties.values()]
    words = schema_words() | frozenset(_strings(_record_of(case, slide))) | _terms(c.name for c in layout.channels)
    return Needles.of(identifiers, Vocabulary(words, frozenset(_numbers(_metadata_of(layout)))))


def needles_in_stored(known: Iterable[str], folder: Path) -> Needles:
    """Gather what must not be found in a scan that is in the archive, whose case turned out to be another.

    Parameters
    ----------
    known : iterable of str
        What the vault knows about the case that it turned out to be.
    folder : pathlib.Path
        The scan's folder. What its own record and metadata say, in closed terms and numbers, may stand there.
    """
    identifiers = [KnownIdentifier(IdentifierClass.UNSORTED, text) for text in known]
    record = json.loads((folder / RECORD).read_bytes())
    metadata = [json.loads(file.read_bytes()) for file in sorted(folder.rglob("zarr.json"))]
    words = schema_words() | frozenset(_strings(record)) | _terms(_strings(metadata))
    return Needles.of(identifiers, Vocabulary(words, frozenset(_numbers([record, metadata]))))


@cache
def schema_words() -> frozenset[str]:
    """Every key, name and closed term that may stand in what is stored, whoever the patient is.

    The keys are read off an empty scan's own files, so that this list cannot fall behind what is written.
    """
    kinds = [kind for kind in vars(terms).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]
    kinds += [Stain, Fidelity, ScanStatus, Scheme, Origin]
    words = {str(value) for kind in kinds for value in kind} | {MANIFEST, PIXELS, RECORD, COLOUR_PROFILE}
    for profile in read_profiles().values():
        products = [profile.maker, *(part for rule in profile.model for part in (rule.maker, rule.model))]
        words |= {product for product in products if product}
    size = Size(2048, 2048)
    levels = tuple(LevelLayout.planned(size, Size(256, 256), coding, Origin.COPIED) for coding in Coding)
    words |= set(_strings(_metadata_of(ScanLayout(levels, MicronsPerPixel(0.5, 0.5), 20.0))))
    words |= {word for pixel_type in PixelType for word in _strings(_metadata_of(_fluorescence(pixel_type)))}
    case = CaseRecord(new_key(), new_key(), Facts())
    words |= set(_strings(_record_of(case, SlideRecord(new_key(), case.key))))
    return frozenset(words | set(_strings(_empty_manifest())))


def _fluorescence(pixel_type: PixelType) -> ScanLayout:
    """Give a scan with as many channels as there can be, of which nothing is known."""
    size = Size(2048, 2048)
    level = LevelLayout.planned(
        size, Size(256, 256), Coding.LOSSLESS, Origin.DECODED, MAX_CHANNELS, pixel_type=pixel_type, apart=True
    )
    channels = tuple(Channel(named.name, named.colour, 0, 1) for named in name_channels([("", None)] * MAX_CHANNELS))
    return ScanLayout((level,), channels=channels)


def _terms(names: Iterable[str]) -> frozenset[str]:
    """Give those that are what a channel may be called, in the list's own spelling."""
    return frozenset(name for name in names if (term := channel_term(name)) and term[0] == name)


def _record_of(case: CaseRecord, slide: SlideRecord) -> Any:
    """Write the record of a scan of which nothing is known but its slide and case."""
    scan = ScanRecord(
        key=new_key(),
        slide=slide.key,
        size=Size(1, 1),
        level_count=1,
        fidelity=Fidelity.COPIED,
        might_identify=MightIdentify.screened(VERSION),
    )
    return json.loads(record_text(Chain(case, slide, scan)))


def _empty_manifest() -> Any:
    return json.loads(Manifest((StoredFile(RECORD, 1, "0" * 64),)).to_bytes())


def _metadata_of(layout: ScanLayout) -> list[Any]:
    """Write a scan's metadata aside and read it as JSON; the names of its files come along."""
    from archive.holdings.writing import MemoryStore, write_metadata  # Zarr is loaded while the jail works

    store: dict[str, Any] = {}
    write_metadata(MemoryStore(store), layout)
    return [[name.split("/") for name in store], *(json.loads(text.to_bytes()) for text in store.values())]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
