"""The page of faults lists every code that a check can tell, with its meaning, and no other."""

import re
from pathlib import Path

from archive.holdings.checking.faults import FaultCode
from ingest.pipeline.checking import VaultCode

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "check-faults.md"


def test_the_page_lists_every_code_with_its_meaning() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (●?) ?\| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    codes = [(code.value, "●" if code.spoils else "", code.meaning) for code in (*FaultCode, *VaultCode)]
    assert rows == codes
    assert len({code for code, _, _ in codes}) == len(codes)
