"""The units for systemd name what there is, wall the names off from the server, and systemd understands every line."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from archive.accounts import Action, Role, allowed, authority
from archive.cli.proving import TOKEN_FILE
from archive.logs import LogSettings
from archive.settings import ArchiveSettings
from tests.ingest.cli.test_every_command import NEEDED
from tests.test_docs import ROOT, leaf_of

UNITS = sorted((ROOT / "docs/how-to/systemd").glob("*.service"))
SERVE = ROOT / "docs/how-to/systemd/coverslip-serve.service"
TIMERS = sorted((ROOT / "docs/how-to/systemd").glob("*.timer"))
VAULT = {"COVERSLIP_VAULT", "COVERSLIP_VAULT_KEY"}
SIGNING = {"COVERSLIP_AUDIT_KEY", "COVERSLIP_AUDIT_COPY"}
UNATTENDED = [unit for unit in UNITS if unit != SERVE]
"""Units that act for an account; the server has people sign in."""


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
    assert leaf_of(words[2:] if words[:1] == ["-m"] else words).name in {"serve", "watch", "sign", "backup", "check"}
    known = {f"COVERSLIP_{name.upper()}" for name in ArchiveSettings.model_fields}
    known |= {f"COVERSLIP_LOG_{name.upper()}" for name in LogSettings.model_fields} | VAULT | SIGNING | {TOKEN_FILE}
    assert {setting.partition("=")[0] for setting in values(unit, "Environment")} <= known


def test_what_runs_once_has_a_timer_and_nothing_else_has() -> None:
    assert {timer.with_suffix(".service") for timer in TIMERS} == {
        unit for unit in UNITS if values(unit, "Type") == ["oneshot"]
    }
    when = {timer.stem.removeprefix("coverslip-"): values(timer, "OnCalendar") for timer in TIMERS}
    assert when == {"sign": ["hourly"], "backup": ["*-*-*", "01:00"], "check": ["*-*-*", "03:00"]}


@pytest.mark.parametrize("unit", UNATTENDED, ids=lambda unit: unit.name)
def test_a_unit_proves_who_acts_by_a_token_that_it_is_lent(unit: Path) -> None:
    """Its command is one for which a service's token can be made, and a role has it."""
    assert values(unit, "LoadCredential") == [f"token:/etc/coverslip/{unit.stem.removeprefix('coverslip-')}.token"]
    settings = dict(setting.split("=", 1) for setting in values(unit, "Environment"))
    assert settings[TOKEN_FILE] == "%d/token"
    assert "COVERSLIP_WHO" not in settings
    _, *words = values(unit, "ExecStart")
    command = " ".join(words[:2]) if words[0] == "audit" else words[0]
    assert NEEDED[command] in authority.UNATTENDED
    assert any(allowed(role, Action(NEEDED[command])) for role in (Role.LABORATORY, Role.AUDITOR))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_unit_reads_the_tokens_of_others(unit: Path) -> None:
    assert "-/etc/coverslip" in values(unit, "InaccessiblePaths")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_unit_has_a_privilege_or_reaches_another_machine(unit: Path) -> None:
    assert "root" not in values(unit, "User")
    assert values(unit, "CapabilityBoundingSet") == values(unit, "AmbientCapabilities") == []
    assert values(unit, "NoNewPrivileges") == ["true"]
    assert values(unit, "LimitCORE") == ["0"]  # a core of a process that has the vault open would hold names
    assert values(unit, "IPAddressDeny") == ["any"]
    assert values(unit, "IPAddressAllow") == ["localhost"]


def test_for_the_server_there_is_no_vault_and_no_key() -> None:
    hidden = {Path(place.removeprefix("-")) for place in values(SERVE, "InaccessiblePaths")} - {Path("/etc/coverslip")}
    for other in UNATTENDED:
        places = dict(setting.split("=", 1) for setting in values(other, "Environment"))
        assert hidden == {Path(places["COVERSLIP_VAULT"]), Path(places["COVERSLIP_VAULT_KEY"]).parent}
        assert Path(places.get("COVERSLIP_AUDIT_KEY", places["COVERSLIP_VAULT_KEY"])).parent in hidden
    assert not VAULT & {setting.partition("=")[0] for setting in values(SERVE, "Environment")}
