"""A catalogue is opened only where commits are kept."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from archive.catalogue import Catalogue
from archive.catalogue.engine import file_system
from archive.errors import CatalogueUnavailable

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /mnt/lab\040share rw,relatime shared:9 - nfs4 server:/slides rw
31 22 0:26 / /mnt/cloud rw - fuse.sshfs somewhere rw
32 22 8:2 / /mnt/both rw - nfs server:/hidden rw
33 22 8:2 / /mnt/both rw - xfs /dev/sdb1 rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/srv/archive", "ext4"),
        ("/mnt/lab share/archive", "nfs4"),
        ("/mnt/lab sharer", "ext4"),
        ("/mnt/cloud", "fuse.sshfs"),
        ("/mnt/both/x", "xfs"),
    ],
)
def test_the_deepest_and_latest_mount_tells_the_file_system(mounts: Path, folder: str, kind: str) -> None:
    assert file_system(Path(folder), mounts) == kind


def test_where_the_system_does_not_say_nothing_is_known(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "nothing") == ""


@pytest.mark.skipif(not Path("/proc/self/mountinfo").is_file(), reason="needs Linux's list of mounts")
def test_the_file_system_of_this_machine_is_told() -> None:
    assert file_system(Path("/proc/self")) == "proc"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "fuse.rclone"])
def test_sqlite_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("archive.catalogue.engine.file_system", lambda folder: kind)
    with pytest.raises(CatalogueUnavailable, match="network file system"):
        Catalogue.open(tmp_path / "catalogue.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("read_only", [False, True])
def test_sqlite_is_set_to_keep_what_it_commits(open_catalogue: Callable[..., Catalogue], read_only: bool) -> None:
    catalogue = open_catalogue()
    catalogue = open_catalogue(read_only=read_only)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0, "cell_size_check": 1}
    wanted |= {"mmap_size": 0, "busy_timeout": 30_000} | ({"query_only": 1} if read_only else {"secure_delete": 1})
    with catalogue.reading() as connection:
        found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in wanted}
    assert found == wanted


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_sqlite_without_its_log_is_refused(
    open_catalogue: Callable[..., Catalogue], tamper: Callable[[str], None]
) -> None:
    open_catalogue().close()
    tamper("PRAGMA journal_mode = DELETE")
    with pytest.raises(CatalogueUnavailable, match="write-ahead log"):
        open_catalogue(read_only=True)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_may_forget_is_refused(place: str, tamper: Callable[[str], None], setting: str) -> None:
    def set_to(value: str) -> None:
        tamper(f"ALTER SYSTEM SET {setting} = {value}")
        tamper("SELECT pg_reload_conf()")
        time.sleep(0.2)

    set_to("off")
    try:
        with pytest.raises(CatalogueUnavailable, match=f"{setting} off"):
            Catalogue.open(place)
    finally:
        set_to("on")
    Catalogue.open(place).close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://somebody@somewhere/slides", "must begin with postgresql://"),
        ("sqlite:///elsewhere", "must begin with postgresql://"),
        ("no url at all", "cannot be read"),
        ("postgresql://nobody:hush@127.0.0.1:1/none", "cannot be used now"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(CatalogueUnavailable, match=sentence) as failure:
        Catalogue.open(url)
    assert "hush" not in str(failure.value)


def test_a_missing_driver_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(CatalogueUnavailable, match=r"pip install 'coverslip\[postgresql\]'"):
        Catalogue.open("postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize("read_only", [False, True])
def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(CatalogueUnavailable, match="cannot be used now"):
        Catalogue.open(tmp_path, read_only=read_only)
