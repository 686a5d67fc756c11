"""A file with several regions of a glass: killed between two of them, the next ingest makes those that are missing."""

from pathlib import Path

from archive.codes import InternalKey
from archive.holdings import Archive, Step
from tests.journeys.killing import Delivery, Killings
from tests.journeys.laboratory import row_of, write_list
from tests.slides.scn import Tissue, make_scn
from tests.slides.svs import make_svs

REGIONS = (
    Tissue(width=400, height=300, factors=(1, 2)),
    Tissue(width=390, height=300, factors=(1, 2), top=40_000_000),
    Tissue(width=380, height=300, factors=(1,), top=50_000_000, objective="40", nm=250),
)


def scans(killings: Killings) -> dict[str, list[InternalKey]]:
    """Give the scans of each slide, by its code."""
    with Archive.open(killings.laboratory.archive, read_only=True) as archive:
        return {
            str(slide.code): [scan.key for scan in archive.scans_of(slide.record.key)] for slide in archive.slides()
        }


def test_killed_between_two_regions_two_workers_make_those_that_are_missing(tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    folder.mkdir()
    files = [make_scn(folder / f"{seed}.scn", regions=REGIONS, seed=seed, tile=128).path for seed in (7, 17)]
    files.append(make_svs(folder / "one.svs", width=400, height=300, factors=(1,)).path)
    delivery = Delivery(folder, files=files)
    write_list(delivery.list, *(row_of(file, f"S26-{file.stem}", tissue="living") for file in files))
    killings = Killings(tmp_path / "laboratory")

    killings.kill_at(Step.COMMITTED, files[0], delivery)
    ((code, left),) = scans(killings).items()
    assert len(left) == 1

    said = killings.laboratory.take_in(folder, delivery.list, "--workers", 2)
    assert "\n3 kept, 0 known already, 0 refused.\n" in said.out
    assert f"{code}  scan 1 of 3, nothing was written" in said.out
    assert f"{code}  scan 2 of 3, 390 x 300" in said.out
    after = scans(killings)
    assert sorted(map(len, after.values())) == [1, 3, 3]
    assert after[code][:1] == left
    killings.assert_tidy()
    assert killings.laboratory.run("check").code == 0

    again = killings.laboratory.take_in(folder, delivery.list)
    assert again.out.rstrip().endswith("0 kept, 3 known already, 0 refused.")
    assert scans(killings) == after
