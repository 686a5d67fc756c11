"""The parts of the deep tests; each gives a row of the table, or fails with an error."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ingest.cli.demo_slide import draw_demo_slide
from ingest.errors import Reason
from tests.journeys.delivered import deliver
from tests.journeys.flipping import flip_bits, taken_in
from tests.journeys.found_by_check import NO_ROW, ROWS, Kept, flip_and_check, flip_unsealed
from tests.journeys.killing import Delivery, Killings, kill_at_random_times
from tests.journeys.laboratory import Laboratory
from tests.journeys.mutating import SEEDS, ingest_mutants
from tests.journeys.tampering import Kept as Trails
from tests.journeys.tampering import tamper
from tests.slides.mutants import MUTATIONS, NEVER_KEPT


@dataclass(frozen=True)
class Told:
    """A row of the table."""

    what: str
    how_many: str
    seen: str


def kills(home: Path, count: int) -> Told:
    """Kill so many ingests at random times; every slide must be there once in the end, and equal to all others."""
    delivery = Delivery(home / "delivery").make(1 + count)
    killed, kept = kill_at_random_times(Killings(home / "laboratory"), delivery)
    if len(kept) != 1 + count or len(set(kept.values())) != 1:
        raise SystemExit("some slides are not as if nothing had happened")
    return Told(
        "ingests killed at random times", f"{killed:,}", f"{len(kept):,} of {1 + count:,} slides kept, all equal"
    )


def mutants(home: Path, count: int) -> Told:
    """Take in so many mutants of every kind of seed together."""
    outcomes: Counter[str] = Counter()
    slowest, grown = 0.0, 0
    for number, (kind, seed) in enumerate(SEEDS.items()):
        share = count // len(SEEDS) + (number < count % len(SEEDS))
        mutated = ingest_mutants(seed, share, home / kind, chance=number)
        kept = [way for way in NEVER_KEPT if mutated.by_way[way]["kept"]]
        if kept:
            raise SystemExit(f"mutants of {kind} were kept that no slide can be: {', '.join(kept)}")
        outcomes += mutated.outcomes
        slowest, grown = max(slowest, mutated.slowest_seconds), max(grown, mutated.grown_bytes)
    if outcomes.total() != count or Reason.PIXELS_DIFFER in outcomes:
        raise SystemExit(f"mutants ended otherwise than with a right reason: {outcomes}")
    seen = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
    what = f"damaged slides of {len(SEEDS)} kinds, in {len(MUTATIONS)} ways"
    cost = f"the slowest took {slowest:.1f} s, and the process outside the jails grew by at most {grown >> 20} MB"
    return Told(what, f"{count:,}", f"{seen}; {cost}")


def flips(home: Path, count: int) -> Told:
    """Change so many bits of what is stored, one at a time."""
    with taken_in(home) as archive:
        flipped = flip_bits(archive, count)
    kinds = len(flipped.bits)
    tiles = (
        f"{flipped.tiles['right']:,} tiles asked for meanwhile were right, {flipped.tiles['damaged']:,} called damaged"
    )
    return Told(
        f"changed bits in {kinds} kinds of stored files", f"{count:,}", f"all found; {tiles}, none shown wrongly"
    )


def named(home: Path, count: int) -> Told:
    """Change so many bits of anything that a laboratory keeps, one at a time, and have each found and named."""
    kept = Kept.make(home)
    unsealed, found = flip_unsealed(kept, count // 10), flip_and_check(kept, count)
    if found.missed or unsealed.missed:
        raise SystemExit(
            "\n".join(["some bits were not found, or their file was not named:", *found.missed, *unsealed.missed])
        )
    seen = (
        f"all found by the check, and their file named; in a catalogue that was written to since, all of "
        f"{unsealed.bits[ROWS]:,} that change what it says ({unsealed.bits[NO_ROW]:,} others change nothing)"
    )
    return Told(f"changed bits in {len(found.bits)} kinds of kept files", f"{count:,}", seen)


def tamperings(home: Path, count: int) -> Told:
    """Tamper so often with the audit trails and with the signed statements about them; each must be seen."""
    told = tamper(Trails.make(home / "laboratory"), count, home)
    if told.missed:
        raise SystemExit("\n".join(["some tamperings were not seen:", *told.missed]))
    return Told(f"tamperings with audit trails, of {len(told.tried)} kinds", f"{count:,}", "all seen")


def every_tile(home: Path, slide: Path | None) -> Told:
    """Compare every tile of a large slide with what other decoders show."""
    if slide is None:
        slide = home / "drawn.svs"
        draw_demo_slide(slide)
    laboratory = Laboratory(home / "laboratory")
    receipts = home / "receipts.json"
    deliver(laboratory, slide.parent, [slide.name], "--verify", "full", "--receipts", receipts, ends=0)
    receipt = json.loads(receipts.read_text())
    level, proof = receipt["kept"]["levels"][0], receipt["verified"]
    seen = f"{proof['same_pixels']:,} same pixels by a second decoder, {proof['by_openslide']:,} of them by OpenSlide"
    return Told(f"tiles of a slide of {level['width']:,} x {level['height']:,} px", f"{proof['tiles']:,}", seen)
