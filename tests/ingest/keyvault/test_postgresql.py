"""The vault's rows may lie in PostgreSQL; the key store stays a file of its own."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ingest.errors import VaultUnavailable
from ingest.keyvault import Expected, KeyVault, Whereabouts
from tests.ingest.keyvault.conftest import JANE, JOHN, Place, digest

pytest.importorskip("psycopg", reason="pip install psycopg[binary]")
INITDB, PG_CTL = (
    next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), shutil.which(name))
    for name in ("initdb", "pg_ctl")
)
pytestmark = pytest.mark.skipif(not (INITDB and PG_CTL), reason="apt-get install postgresql")


def _run(*command: object) -> None:
    # PostgreSQL refuses to run as root.
    other = {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid} if os.geteuid() == 0 else {}
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60, cwd="/", **other)


@pytest.fixture
def database() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres")
        _run(INITDB, "-D", f"{home}/data", "-U", "vault", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        _run(PG_CTL, "-D", f"{home}/data", "-w", "-o", options, "-l", f"{home}/log", "start")
        try:
            yield f"postgresql+psycopg://vault@127.0.0.1:{port}/postgres"
        finally:
            _run(PG_CTL, "-D", f"{home}/data", "-w", "-m", "immediate", "stop")


def test_the_whole_life_of_an_entry_in_postgresql(place: Place, database: str) -> None:
    with KeyVault.create(place.folder, place.key_file, database=database) as vault:
        keys = vault.keys_for(JANE, "S26-1", "A1", "HE")
        john = vault.keys_for(JOHN, "S26-1", "A1", "HE")
        scan = vault.record_file(digest("content"), keys.slide, "first.svs")
        vault.confirm(scan)
        vault.declare("feed", "Surgical", "first", who="a.clinician")
        kept = vault.register.note(Path("/a.svs"), "kept", moment=(1, 2**60), scan=scan, stored_bytes=2**40)
        waits = vault.register.note(Path("/b.svs"), "waits", moment=(1, 2), reason="no-row")
        vault.register.expect([Expected(2, ("c.svs",), False)])
    with KeyVault.open(place.folder, place.key_file, database=database) as vault:
        assert vault.keys_for(JANE, "S26-1", "A1", "HE") == keys
        assert vault.scan_of_file(digest("content")) == scan
        assert vault.identify(scan, "a.clinician", "request 17").patient == JANE.patient
        assert vault.register.find(Path("/a.svs")) == kept
        assert vault.register.waiting() == (waits,)
        assert [event.stored_bytes for event in vault.register.day(date.today())] == [2**40, 0]
        assert [row.row for row in vault.register.awaited(date.today())] == [2]
        to = Whereabouts(JOHN.patient, "S26-2", "A1", "HE")
        begun = vault.corrections.move_slide(keys.slide, to, (), repr, who="a.clinician", reason="why")
        vault.corrections.finish(begun, str)
        (found,) = vault.directory.find_case("S26-2", who="a.clinician", purpose="request 17")
        assert [slide.key for slide in found.slides] == [keys.slide]
        vault.erase(keys.patient, "a.clinician", "request 18")
        assert vault.identify(scan, "a.clinician", "request 17").patient == JOHN.patient
        assert vault.identify(john.slide, "a.clinician", "request 17").patient == JOHN.patient
        assert vault.declared("feed") == {"Surgical": "first"}
        assert vault.check() == ()
    with pytest.raises(VaultUnavailable):
        KeyVault.create(place.folder.with_name("second"), place.key_file.with_name("second"), database=database)
