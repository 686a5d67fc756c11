"""The units for systemd name what there is, wall the names off from the server, and systemd understands every line."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from archive.logs import LogSettings
from archive.settings import ArchiveSettings
from tests.test_docs import ROOT, leaf_of

UNITS = sorted((ROOT / "docs/how-to/systemd").glob("*.service"))
SERVE = ROOT / "docs/how-to/systemd/coverslip-serve.service"
TIMERS = sorted((ROOT / "docs/how-to/systemd").glob("*.timer"))
VAULT = {"COVERSLIP_VAULT", "COVERSLIP_VAULT_KEY"}
SIGNING = {"COVERSLIP_AUDIT_KEY", "COVERSLIP_AUDIT_COPY"}


def values(unit: Path, key: str) -> list[str]:
    """Give all words that a unit says behind a key."""
    return [word for line in re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE) for word in line.split()]


@pytest.mark.parametrize("unit", UNITS + TIMERS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        absent = pytest.fail if os.environ.get("COVERSLIP_TEST_REQUIRE") == "all" else pytest.skip
        absent("systemd-analyze is missing: apt-get install systemd")
    for one in UNITS + TIMERS:
        here = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", one.read_text(), flags=re.MULTILINE)
        (tmp_path / one.name).write_text(re.sub(r"^(User|Group)=.*", r"\1=root", here, flags=re.MULTILINE))
    copied = tmp_path / unit.name
    verified = subprocess.run(["systemd-analyze", "verify", copied], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_a_unit_runs_and_sets_exists(unit: Path) -> None:
    _, *words = values(unit, "ExecStart")
    assert leaf_of(words[2:] if words[:1] == ["-m"] else words).name in {"serve", "watch", "sign"}
    known = {f"COVERSLIP_{name.upper()}" for name in ArchiveSettings.model_fields}
    known |= {f"COVERSLIP_LOG_{name.upper()}" for name in LogSettings.model_fields} | VAULT | SIGNING
    assert {setting.partition("=")[0] for setting in values(unit, "Environment")} <= known


def test_what_is_signed_every_hour_has_a_timer() -> None:
    (timer,) = TIMERS
    assert timer.with_suffix(".service") in UNITS
    assert values(timer, "OnCalendar") == ["hourly"]
    assert values(timer.with_suffix(".service"), "Type") == ["oneshot"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_unit_has_a_privilege_or_reaches_another_machine(unit: Path) -> None:
    assert "root" not in values(unit, "User")
    assert values(unit, "CapabilityBoundingSet") == values(unit, "AmbientCapabilities") == []
    assert values(unit, "NoNewPrivileges") == ["true"]
    assert values(unit, "IPAddressDeny") == ["any"]
    assert values(unit, "IPAddressAllow") == ["localhost"]


def test_for_the_server_there_is_no_vault_and_no_key() -> None:
    hidden = {Path(place.removeprefix("-")) for place in values(SERVE, "InaccessiblePaths")}
    for other in (unit for unit in UNITS if unit != SERVE):
        places = dict(setting.split("=", 1) for setting in values(other, "Environment"))
        assert hidden == {Path(places["COVERSLIP_VAULT"]), Path(places["COVERSLIP_VAULT_KEY"]).parent}
        assert Path(places.get("COVERSLIP_AUDIT_KEY", places["COVERSLIP_VAULT_KEY"])).parent in hidden
    assert not VAULT & {setting.partition("=")[0] for setting in values(SERVE, "Environment")}
