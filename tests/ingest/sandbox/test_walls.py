"""Behind the walls an inmate can read its slide and write into its folder, and nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import JailUnavailable
from ingest.sandbox import Jail, Level, jail_level, prepare, self_test
from ingest.sandbox.forkserver import current
from ingest.sandbox.proof import ACTS, attempt
from tests.ingest.sandbox import acts

MakeJail = Callable[..., Jail]


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    path = tmp_path / "delivery" / "slide.svs"
    path.parent.mkdir()
    path.write_text("pixels")
    return path


@pytest.fixture
def neighbour(slide: Path) -> Path:
    path = slide.with_name("other.svs")
    path.write_text("another patient")
    return path


def test_all_walls_are_there() -> None:
    assert jail_level() is Level.FULL


def test_the_self_test_is_denied_all_five_acts(tmp_path: Path) -> None:
    key = tmp_path / "vault.key"
    key.touch(mode=0o600)
    for vault in (None, key):
        denials = self_test(vault)
        assert [denial.act for denial in denials] == list(ACTS)
        assert all(denial.denied for denial in denials)


def test_the_same_five_acts_succeed_outside(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    assert attempt(lambda progress: None, str(secret), str(tmp_path)) == dict.fromkeys(ACTS, True)


@pytest.mark.parametrize("act", acts.FORBIDDEN)
def test_an_inmate_can_not(jail: MakeJail, slide: Path, neighbour: Path, act: str) -> None:
    before = neighbour.read_bytes(), neighbour.stat().st_mode, neighbour.stat().st_mtime_ns
    with jail(read=[slide]) as inmate:
        assert inmate.call(acts.try_forbidden, act, str(neighbour)) == "denied"
    assert (neighbour.read_bytes(), neighbour.stat().st_mode, neighbour.stat().st_mtime_ns) == before
    assert sorted(os.listdir(slide.parent)) == ["other.svs", "slide.svs"]


TOUCHES_THIS_PROCESS = {"trace another process", "look into another process", "signal another process"}


@pytest.mark.parametrize("act", [act for act in acts.FORBIDDEN if act not in TOUCHES_THIS_PROCESS])
def test_outside_one_can(slide: Path, neighbour: Path, act: str) -> None:
    code = "import sys; from tests.ingest.sandbox import acts; print(acts.try_forbidden(None, *sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", code, act, str(neighbour)], capture_output=True, text=True, check=True, env=environment
    )
    assert told.stdout.strip() == "done"


def test_the_slide_itself_cannot_be_changed(jail: MakeJail, slide: Path) -> None:
    told = jail(read=[slide]).call(acts.try_on_itself, str(slide))
    assert isinstance(told, dict)
    assert set(told.values()) == {"denied"}
    assert slide.read_text() == "pixels"


def test_what_readers_need_goes_on(jail: MakeJail, slide: Path, tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.mkdir(mode=0o700)
    told = jail(read=[slide], write=[staged]).call(acts.read_and_write, str(slide), str(staged))
    assert told == {"slide": "pixels", "woken": "wake", "limit": 0}
    assert (staged / "0" / "c" / "whole").read_bytes() == b"shard"
    assert sorted(os.listdir(staged)) == ["0", "longer", "thread-0", "thread-1", "thread-2"]
    assert (staged / "longer").read_bytes() == b"123"


def test_a_folder_may_be_given_to_read(jail: MakeJail, slide: Path, neighbour: Path) -> None:
    inmate = jail(read=[slide.parent])
    assert inmate.call(acts.try_forbidden, "read a neighbouring slide", str(neighbour)) == "done"
    assert inmate.call(acts.try_forbidden, "write to a neighbouring slide", str(neighbour)) == "denied"


def test_a_folder_may_be_given_to_list_without_its_files(jail: MakeJail, slide: Path, neighbour: Path) -> None:
    inmate = jail(read=[slide], list_names=[slide.parent])
    assert inmate.call(acts.try_forbidden, "list the folder of the slide", str(neighbour)) == "done"
    assert inmate.call(acts.try_forbidden, "read a neighbouring slide", str(neighbour)) == "denied"
    assert inmate.call(acts.try_forbidden, "delete a neighbouring slide", str(neighbour)) == "denied"


def test_an_inmate_knows_nothing_of_its_maker(jail: MakeJail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COVERSLIP_VAULT_KEY", "a secret")
    monkeypatch.setenv("PGPASSWORD", "another")
    monkeypatch.chdir(tmp_path)
    prepare(acts.__name__, "graphlib")  # one module more: a new fork server, started with these in the environment
    told = jail().call(acts.facts)
    assert isinstance(told, dict)
    environment = told["environment"]
    assert isinstance(environment, dict)
    assert {"COVERSLIP_VAULT_KEY", "PGPASSWORD", "HOME"}.isdisjoint(environment)
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert told["folder"] == "/"
    assert told["descriptors"] == [True, True, True]
    assert told["session"] is True
    assert told["main"] is None
    privileges, memory = told["privileges"], told["memory of its own"]
    assert isinstance(privileges, int)
    assert privileges & ~0b110 == 0  # of root's, only reading files of others
    assert isinstance(memory, int)
    assert 2 << 30 <= memory < 3 << 30
    modules = told["modules"]
    assert isinstance(modules, list)
    assert not any(str(name).startswith(("ingest.keyvault", "pytest")) for name in modules)
    raw = Path(f"/proc/{current().process}/environ").read_bytes()
    assert b"a secret" not in raw
    assert b"another" not in raw


def test_the_vault_must_not_lie_where_the_jail_may_look(jail: MakeJail, slide: Path, tmp_path: Path) -> None:
    vault = slide.parent / "vault"
    vault.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for options in (
        {"read": [slide.parent]},
        {"read": [slide], "write": [vault]},
        {"read": [slide], "keep_out": [Path(sys.prefix) / "vault"]},
    ):
        with pytest.raises(JailUnavailable, match="key vault"):
            jail(**{"keep_out": [vault], **options})
    jail(read=[slide], write=[elsewhere], keep_out=[vault])


class TestLessThanAllWalls:
    """Where the system has no walls, only limits, a jail is made only for who asks for that."""

    @pytest.fixture(autouse=True)
    def limits_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ingest.sandbox.jail.jail_level", lambda: Level.LIMITS_ONLY)
        monkeypatch.setattr("ingest.sandbox.jail.what_is_missing", lambda: ("Landlock is not available; wait",))

    def test_it_is_refused_by_default(self, jail: MakeJail) -> None:
        with pytest.raises(JailUnavailable, match="Landlock is not available"):
            jail()

    def test_it_can_be_asked_for(self, jail: MakeJail, slide: Path, neighbour: Path) -> None:
        inmate = jail(read=[slide], allow_limits_only=True)
        assert inmate.call(acts.try_forbidden, "read a neighbouring slide", str(neighbour)) == "done"
        assert inmate.call(acts.try_forbidden, "change a limit", str(neighbour)) == "done"

    def test_the_self_test_says_so(self) -> None:
        assert not any(denial.denied for denial in self_test())

    @pytest.mark.parametrize("end", ["by its maker", "by itself"])
    def test_what_an_inmate_started_ends_with_it(
        self, jail: MakeJail, is_gone: Callable[[int], bool], end: str
    ) -> None:
        inmate = jail(allow_limits_only=True)
        child = inmate.call(acts.leave_a_child)
        assert isinstance(child, int)
        assert Path(f"/proc/{child}").exists()
        if end == "by itself":
            inmate.call(acts.end_soon)
            time.sleep(0.5)
        else:
            inmate.close()
        assert is_gone(child)

    def test_a_machine_without_any_jail_is_refused(self, jail: MakeJail, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ingest.sandbox.jail.jail_level", lambda: Level.NONE)
        with pytest.raises(JailUnavailable):
            jail(allow_limits_only=True)
