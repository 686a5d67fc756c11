"""OpenSlide's own broken slides, imitated: what it must not open is refused here, too, and what it opens is read.

Each case has the name that OpenSlide's tests give it. Where this differs from OpenSlide, it is said why.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.pipeline.jailed import MODULES
from ingest.precheck import precheck
from ingest.sandbox import Jail, prepare
from tests.slides.imitated import IMITATED, NOT_IMITATED, SOUND
from tests.slides.imitated.hamamatsu import VMS
from tests.slides.imitated.mirax import INI, MIRAX
from tests.slides.imitated.plain import TRESTLE
from tests.slides.imitated.reading import read_all
from tests.slides.imitated.spoiling import Imitation, nothing, without, word

NEVER = {Reason.READER_CRASHED, Reason.TOO_MUCH_MEMORY, Reason.TOO_SLOW, Reason.PIXELS_DIFFER}
"""Reasons that none of these may lead to."""

FEWEST = 290

OPENED: Mapping[str, Imitation] = {
    "mirax-slidedat-empty-objective-magnification": Imitation(
        MIRAX, word("OBJECTIVE_MAGNIFICATION = 20", "OBJECTIVE_MAGNIFICATION =", INI)
    ),
    "mirax-slidedat-no-objective-magnification": Imitation(
        MIRAX, word("OBJECTIVE_MAGNIFICATION", "OBJECTIVES_MAGNIFICATION", INI)
    ),
    "mirax-slidedat-objective-magnification-trailing-x": Imitation(
        MIRAX, word("OBJECTIVE_MAGNIFICATION = 20", "OBJECTIVE_MAGNIFICATION = 20x", INI)
    ),
    "hamamatsu-vms-vms-blank-macro": Imitation(VMS, word("MacroImage=slide_macro.jpg", "MacroImage=")),
    "hamamatsu-vms-vms-no-optimisationfile": Imitation(VMS, word("OptimisationFile", "OptimisationsFile")),
    "hamamatsu-vms-vms-no-physicalwidth": Imitation(VMS, word("PhysicalWidth", "PhysicalWide")),
    "trestle-imagedescription-property-empty": Imitation(TRESTLE, word("JPEG Quality=85", "JPEG Quality=  ")),
}
"""Odd, and OpenSlide opens them."""

NOT_WHOLE: Mapping[str, Imitation] = {
    "hamamatsu-vms-macro-missing": Imitation(VMS, without("slide_macro.jpg")),
    "hamamatsu-vms-optimisation-missing": Imitation(VMS, without("slide.opt")),
}
"""OpenSlide opens them; here a slide that names a part is not whole without it."""

Outcome = int | Reason
Read = Callable[[str, Imitation], Outcome]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Read an imitation in a jail; gives the number of its tiles, or why it is refused."""
    prepare(*MODULES, read_all.__module__)
    home = tmp_path_factory.mktemp("imitated")
    with Jail(read=[home]) as jail:

        def outcome(name: str, imitation: Imitation) -> Outcome:
            path = imitation.write(home / name)
            try:
                precheck(path)
                told = jail.call(read_all, str(path))
            except SlideRefused as refused:
                return refused.reason if str(home) not in str(refused) else -1
            assert isinstance(told, int)
            return told

        yield outcome


@pytest.mark.parametrize("case", [name for name, imitation in IMITATED.items() if not imitation.read])
def test_what_openslide_must_not_open_is_refused(read: Read, case: str) -> None:
    outcome = read(case, IMITATED[case])
    assert isinstance(outcome, Reason)
    assert outcome not in NEVER


@pytest.mark.parametrize("case", [name for name, imitation in IMITATED.items() if imitation.read])
def test_what_is_read_all_the_same_is_read_to_its_last_pixel(read: Read, case: str) -> None:
    assert read(case, IMITATED[case]) not in {0, *Reason}


@pytest.mark.parametrize("case", OPENED)
def test_what_is_odd_and_openslide_opens_is_read(read: Read, case: str) -> None:
    assert read(case, OPENED[case]) not in {0, *Reason}


@pytest.mark.parametrize("case", NOT_WHOLE)
def test_a_slide_without_a_part_that_it_names_is_refused(read: Read, case: str) -> None:
    assert read(case, NOT_WHOLE[case]) is Reason.MISSING_COMPANION


@pytest.mark.parametrize("number", range(len(SOUND)))
def test_the_sound_slides_are_read(read: Read, number: int) -> None:
    """Or else the refusals would prove nothing."""
    assert read(f"sound {number}", Imitation(SOUND[number], nothing)) not in {0, *Reason}


def test_every_case_of_openslides_is_imitated_or_it_is_said_why_not(real_slides: Path) -> None:
    cases = json.loads((real_slides / "openslide-cases.json").read_text())
    failing = {case["case"] for case in cases if not case["success"]}
    assert IMITATED.keys() | NOT_IMITATED.keys() == failing
    assert not IMITATED.keys() & NOT_IMITATED.keys()
    assert OPENED.keys() | NOT_WHOLE.keys() <= {case["case"] for case in cases} - failing


def test_there_are_as_many_as_there_were() -> None:
    assert len(IMITATED) >= FEWEST
