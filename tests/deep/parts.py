"""The parts of the deep tests; each gives rows of the table, or fails with an error."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from ingest.cli.demo_slide import draw_demo_slide
from ingest.errors import Reason
from ingest.screening import Screener
from tests.journeys.copies_killed import KNOWN_TO, Moment, Scene, backup_behind, first_backup, restoration
from tests.journeys.delivered import deliver
from tests.journeys.flipping import flip_bits, taken_in
from tests.journeys.found_by_check import NO_ROW, ROWS, Kept, flip_and_check, flip_unsealed
from tests.journeys.killing import Delivery, Killings, kill_at_random_times, kill_on_the_way
from tests.journeys.laboratory import Laboratory
from tests.journeys.mixing import differences, mix
from tests.journeys.mutating import NEVER, SEEDS, Mutated, ingest_mutants
from tests.journeys.tampering import Kept as Trails
from tests.journeys.tampering import tamper
from tests.slides.mutants import MUTATIONS, NEVER_KEPT
from tests.slides.screened import (
    FALSE_ALARMS,
    RECALL,
    Counted,
    Ground,
    false_alarms,
    folder_of_real_slides,
    recall,
)


@dataclass(frozen=True)
class Told:
    """A row of the table."""

    what: str
    how_many: str
    seen: str


Parts = Iterator[Told]


def kills(home: Path, count: int) -> Parts:
    """Kill so many ingests at random times; every slide must be there once in the end, and equal to all others."""
    delivery = Delivery(home / "delivery").make(1 + count)
    killed, kept = kill_at_random_times(Killings(home / "laboratory"), delivery)
    if len(kept) != 1 + count or len(set(kept.values())) != 1:
        raise SystemExit("some slides are not as if nothing had happened")
    yield Told(
        "ingests killed at random times", f"{killed:,}", f"{len(kept):,} of {1 + count:,} slides kept, all equal"
    )


def kills_on_the_way(home: Path, count: int) -> Parts:
    """Kill the ingest of one mixed delivery by two workers so often; each file must end as it must."""
    mixture = mix(home / "delivered")
    ended = kill_on_the_way(Killings(home / "laboratory"), mixture, count)
    if wrong := differences(mixture, ended):
        raise SystemExit(f"some files ended otherwise than they must: {dict(wrong)}")
    if (ended.slides, ended.scans, ended.tidy) != (mixture.slides, mixture.scans, True):
        raise SystemExit("some slides are there twice or not at all, or something half-made is left")
    seen = f"{len(mixture.expected):,} of {len(mixture.expected):,} files ended as they must"
    yield Told("ingests of one delivery by two workers, killed on the way", f"{count:,}", seen)


def killed_copies(home: Path, every: int) -> Parts:
    """Kill backups and restorations of what was blacked out before every change of the disk, or every so-manieth."""
    kills: list[tuple[str, Callable[[Scene, Iterable[Moment]], int]]] = [
        ("backups of what was blacked out since", backup_behind),
        ("first backups, before something is blacked out", first_backup),
    ]
    for one in KNOWN_TO:
        kills.append((f"restorations of what is to be black, told by the {one}", partial(restoration, known_to=one)))
    for name, kill in kills:
        killed = kill(Scene(home / name), ((number, "") for number in count(1, every)))
        yield Told(f"{name}, killed", f"{killed:,}", "none shows it or is forgotten; all end well when given again")


def mutants(home: Path, count: int) -> Parts:
    """Take in so many mutants of every kind of seed together, and tell of each kind and of all."""
    outcomes: Counter[str] = Counter()
    slowest, grown, jails, jail = 0.0, 0, 0, 0
    for number, (kind, seed) in enumerate(SEEDS.items()):
        share = count // len(SEEDS) + (number < count % len(SEEDS))
        mutated = ingest_mutants(seed, share, home / kind, chance=number)
        judge(kind, mutated, share)
        yield Told(f"damaged slides, {kind}", f"{share:,}", f"{_counted(mutated.outcomes)}; {_cost(mutated)}")
        outcomes += mutated.outcomes
        slowest, grown = max(slowest, mutated.slowest_seconds), max(grown, mutated.grown_bytes)
        jails, jail = jails + mutated.jails, max(jail, mutated.jail_bytes)
    every = Mutated({"": outcomes}, slowest, grown, jails, jail)
    seen = f"{_counted(outcomes)}; {_cost(every)}; none half kept, and nothing found by the check"
    yield Told(f"damaged slides of {len(SEEDS)} kinds, in {len(MUTATIONS)} ways", f"{count:,}", seen)


def judge(kind: str, mutated: Mutated, count: int) -> None:
    """Stop at mutants that ended as none may."""
    if mutated.outcomes.total() != count or not mutated.outcomes.keys() <= {"kept", *Reason} - NEVER:
        raise SystemExit(f"mutants of {kind} ended otherwise than with a right reason: {mutated.outcomes}")
    if kept := [way for way in NEVER_KEPT if mutated.by_way[way]["kept"]]:
        raise SystemExit(f"mutants of {kind} were kept that no slide can be: {', '.join(kept)}")
    if mutated.faults:
        raise SystemExit("\n".join([f"what is kept of mutants of {kind} has faults:", *mutated.faults]))
    if not mutated.within_limits:
        raise SystemExit(f"mutants of {kind} took more than they may: {_cost(mutated)}")


def _counted(outcomes: Counter[str]) -> str:
    return ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())


def _cost(mutated: Mutated) -> str:
    return (
        f"the slowest took {mutated.slowest_seconds:.1f} s, the process outside the jails grew by "
        f"{mutated.grown_bytes >> 20} MB, the largest of {mutated.jails:,} jails had {mutated.jail_bytes >> 20} MB"
    )


def composites(home: Path, count: int) -> Parts:
    """Write so many lines on pictures of slides, and see how many of them the screening finds."""
    ground = Ground.of(folder_of_real_slides())
    with Screener() as screener:
        counted = recall(screener, ground, count)
        yield _screened(f"lines of writing found, on {ground.what}", counted, screener)
    if counted.share < RECALL:
        raise SystemExit("\n".join(["too many lines were missed:", *counted.wrong]))


def clean_fields(home: Path, count: int) -> Parts:
    """Cut so many fields on which nothing is written, and see in how many the screening finds something."""
    ground = Ground.of(folder_of_real_slides())
    with Screener() as screener:
        counted = false_alarms(screener, ground, count)
        yield _screened(f"clean fields in which something was found, of {ground.what}", counted, screener)
    if counted.share > FALSE_ALARMS:
        raise SystemExit("\n".join(["too much was taken for writing:", *counted.wrong]))


def _screened(what: str, counted: Counted, screener: Screener) -> Told:
    seconds = f"{median(counted.cpu_seconds):.1f} CPU s each, at most {max(counted.cpu_seconds):.1f}"
    seen = f"{counted.seen:,}, {counted.share:.1%}; {counted.whole:,} looked at whole"
    memory = f"{(screener.peak_rss_anon_bytes or 0) >> 20} MB"
    return Told(what, f"{counted.pictures:,}", f"{seen}; {seconds}, {memory}")


def flips(home: Path, count: int) -> Parts:
    """Change so many bits of what is stored, one at a time."""
    with taken_in(home) as archive:
        flipped = flip_bits(archive, count)
    kinds = len(flipped.bits)
    tiles = (
        f"{flipped.tiles['right']:,} tiles asked for meanwhile were right, {flipped.tiles['damaged']:,} called damaged"
    )
    yield Told(
        f"changed bits in {kinds} kinds of stored files", f"{count:,}", f"all found; {tiles}, none shown wrongly"
    )


def named(home: Path, count: int) -> Parts:
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
    yield Told(f"changed bits in {len(found.bits)} kinds of kept files", f"{count:,}", seen)


def tamperings(home: Path, count: int) -> Parts:
    """Tamper so often with the audit trails and with the signed statements about them; each must be seen."""
    told = tamper(Trails.make(home / "laboratory"), count, home)
    if told.missed:
        raise SystemExit("\n".join(["some tamperings were not seen:", *told.missed]))
    yield Told(f"tamperings with audit trails, of {len(told.tried)} kinds", f"{count:,}", "all seen")


def every_tile(home: Path, slide: Path | None) -> Parts:
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
    yield Told(f"tiles of a slide of {level['width']:,} x {level['height']:,} px", f"{proof['tiles']:,}", seen)
