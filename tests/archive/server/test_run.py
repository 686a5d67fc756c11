"""The server as it runs: processes behind one port of loopback, which agree within a second on what may be shown."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from archive.accounts import AccountStore, Role
from archive.catalogue.schema import rules
from archive.cli.commands import build
from archive.cli.main import COMMANDS
from archive.errors import AccountsUnavailable, ArchiveError, InvalidValue
from archive.server.app import create_app
from archive.server.callers import SECONDS_BETWEEN
from archive.server.run import address_of, serve
from archive.server.site import require_loopback
from archive.settings import ArchiveSettings
from tests.archive.server.conftest import Opened
from tests.archive.server.members import Members
from tests.archive.server.taught import START, TaughtArchive, free_port, served

FRESH = 40
"""Connections opened one after the other: enough that every one of two workers answers some of them."""


def statuses(address: str, count: int = FRESH, headers: dict[str, str] | None = None) -> set[int]:
    """Ask again and again, each time on a fresh connection, so that each worker is asked."""
    found = set()
    for _ in range(count):
        with httpx.Client() as client:
            found.add(client.get(address, headers=headers).status_code)
    return found


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "slides.example", "", "10.0.0.1"])
def test_the_server_refuses_to_be_reached_from_elsewhere(host: str) -> None:
    with pytest.raises(InvalidValue, match="this machine only"):
        require_loopback(host)
    with pytest.raises(InvalidValue, match="this machine only"):
        serve(ArchiveSettings(host=host))


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:8765/"), ("::1", "http://[::1]:8765/"), ("localhost", "http://localhost:8765/")],
)
def test_loopback_is_served_and_its_address_can_be_opened(host: str, address: str) -> None:
    require_loopback(host)
    assert address_of(ArchiveSettings(host=host)) == address


def test_a_server_whose_accounts_were_deleted_is_not_one_without(taught: TaughtArchive) -> None:
    AccountStore.open(taught.root, create=True).close()
    for file in taught.root.glob("accounts.sqlite*"):
        file.unlink()
    settings = ArchiveSettings(archive=taught.root, port=free_port())
    for start in (serve, create_app):
        with pytest.raises(AccountsUnavailable, match="file is lost, so nobody is let in"):
            start(settings)


def test_a_server_does_not_start_under_rules_that_are_not_in_force(taught: TaughtArchive) -> None:
    with taught.archive.catalogue.writing() as writing:
        writing.connection.execute(insert(rules).values(number=2, version="another"))
        writing.tell("rules in force")
    said = CliRunner().invoke(
        build("", COMMANDS, "serve"), ["serve", "--archive", str(taught.root), "--port", str(free_port())]
    )
    assert said.exit_code == 1
    assert "version another is in force here, so nothing is decided" in said.output
    assert "coverslip consent review" in said.output


def test_a_taken_port_is_said_to_be_taken(taught: TaughtArchive) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidValue, match="is taken"):
            serve(ArchiveSettings(archive=taught.root, port=port))


def test_a_second_server_does_not_share_the_port_of_the_first(taught: TaughtArchive) -> None:
    with served(taught.root, workers=1) as base, pytest.raises(InvalidValue, match="is taken"):
        serve(ArchiveSettings(archive=taught.root, port=int(base.rsplit(":", 1)[1])))


def test_what_is_no_archive_is_refused_before_any_worker_starts(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        serve(ArchiveSettings(archive=tmp_path, port=free_port()))


def test_a_withdrawn_slide_is_gone_within_a_second_on_every_worker(taught: TaughtArchive) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    with served(taught.root, workers=2) as base:
        address = f"{base}/slides/{place.handle}/tiles/0/0_0.jpg"
        assert statuses(address) == {200}
        taught.refuse(code)
        time.sleep(1)
        assert statuses(address) == {404}
        taught.allow(code)
        time.sleep(1)
        assert statuses(address) == {200}


def test_an_open_connection_is_told_of_a_withdrawal_too(taught: TaughtArchive) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    with served(taught.root) as base, httpx.Client() as client:
        address = f"{base}/slides/{place.handle}/tiles/0/0_0.jpg"
        assert client.get(address).status_code == 200
        taught.refuse(code)
        withdrawn = time.monotonic()
        while client.get(address).status_code == 200:
            assert time.monotonic() - withdrawn < 1
            time.sleep(0.01)


def test_what_is_taught_while_the_server_runs_is_shown(taught: TaughtArchive) -> None:
    with served(taught.root) as base:
        (place,) = taught.teach("Later", taught.add()).places
        time.sleep(1)
        assert statuses(f"{base}/slides/{place.handle}") == {200}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_running_server_answers_as_the_application_does(taught: TaughtArchive, opened: Opened, method: str) -> None:
    shown, refused = taught.add(), taught.add()
    collection = taught.teach("Two", shown, refused)
    taught.refuse(refused)
    first, second = (place.handle for place in collection.places)
    client = opened(taught)
    routes = ["/", f"/collections/{collection.handle}", "/static/pages.css", "/api/collections", "/nothing", "/healthz"]
    for handle in (first, second):
        routes += [f"/slides/{handle}{end}" for end in ("", ".dzi", "/thumbnail.jpg", "/tiles/0/0_0.jpg")]
        routes += [
            f"/slides/{handle}{end}" for end in ("/tiles/0/-1_0.jpg", "/tiles/0/0_0.jpg%0a", "_files/9/1_0.jpeg")
        ]
    with served(taught.root, workers=1) as base, httpx.Client() as live:
        for route in routes:
            one, other = live.request(method, base + route), client.request(method, route)
            told = [header for header in one.headers.multi_items() if header[0] != "date"]
            assert sorted(told) == sorted(other.headers.multi_items()), route
            assert (one.status_code, one.content) == (other.status_code, other.content)
            if "etag" in one.headers and method == "GET":
                again = live.get(base + route, headers={"if-none-match": one.headers["etag"]})
                assert (again.status_code, again.content) == (304, b"")


def test_no_header_on_the_wire_tells_what_runs_here_or_when_anything_was_made(taught: TaughtArchive) -> None:
    (place,) = taught.teach("One", taught.add()).places
    with served(taught.root) as base:
        for path in (f"/slides/{place.handle}/tiles/0/0_0.jpg", "/", "/nothing", "/api/collections"):
            answer = httpx.get(base + path)
            assert answer.headers.get_list("server") == [""]
            assert "last-modified" not in answer.headers
            assert "granian" not in repr(answer.headers.multi_items()).lower()


def test_the_log_of_a_day_names_no_slide(taught: TaughtArchive, tmp_path: Path) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    taught.shard(code).write_bytes(b"")
    log = tmp_path / "log"
    with served(taught.root, log=log) as base:
        assert httpx.get(f"{base}/slides/{place.handle}/tiles/0/0_0.jpg").status_code == 503
        assert httpx.get(f"{base}/slides/{place.handle}/tiles/0/x_0.jpg").status_code == 400
    text = log.read_text()
    assert "coverslip check" in text
    for secret in (place.handle, place.scan, str(code), str(taught.root), "Traceback"):
        assert secret not in text


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_when_it_is_told_to(taught: TaughtArchive, how: signal.Signals) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", START, str(taught.root), str(port), "2"])
    try:
        for _ in range(300):
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
                break
            except httpx.TransportError:
                time.sleep(0.1)
        process.send_signal(how)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


@pytest.mark.parametrize("moment_s", [0, 0.01, 0.02, 0.04])
def test_the_server_ends_when_it_is_told_to_before_its_workers_are_up(taught: TaughtArchive, moment_s: float) -> None:
    command = [sys.executable, "-c", START, str(taught.root), str(free_port()), "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment_s)
        process.terminate()
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_two_workers_let_in_the_same_people_and_tell_one_opening(taught: TaughtArchive, members: Members) -> None:
    (place,) = taught.teach("One", taught.add()).places
    with served(taught.root, workers=2) as base:
        cookie = members.cookie("learner", f"coverslip-{base.rsplit(':', 1)[1]}")
        address = f"{base}/slides/{place.handle}/tiles/0/0_0.jpg"
        assert statuses(address, headers=cookie) == {200}
        assert statuses(address) == {401}
        assert len(members.openings()) == 1


def a_learner(store: AccountStore) -> None:
    store.disable("learner")


def the_role(store: AccountStore) -> None:
    store.revoke("learner", Role.LEARNER)


def everything(store: AccountStore) -> None:
    store.end_all("learner")


@pytest.mark.parametrize("take_away", [a_learner, the_role, everything])
def test_what_is_taken_away_is_gone_on_every_worker_at_once(
    taught: TaughtArchive, members: Members, take_away: Callable[[AccountStore], None]
) -> None:
    members.store.grant("learner", Role.AUDITOR)  # so that a role is left
    (place,) = taught.teach("One", taught.add()).places
    with served(taught.root, workers=2) as base:
        session = members.session("learner")
        members.store.choose_role(session.token, Role.LEARNER)
        asks = [{"cookie": f"coverslip-{base.rsplit(':', 1)[1]}={session.token}"}, members.bearer(Role.EDUCATOR)]
        bearer = {"authorization": f"Bearer {members.store.new_token('learner', Role.LEARNER).secret}"}
        address = f"{base}/slides/{place.handle}/tiles/0/0_0.jpg"
        for headers in (*asks, bearer):
            assert statuses(address, headers=headers) == {200}
        take_away(members.store)
        time.sleep(2 * SECONDS_BETWEEN)
        for headers in (asks[0], bearer):
            assert statuses(address, headers=headers) == {401}
        assert statuses(address, headers=asks[1]) == {200}


def test_whoever_signs_out_at_one_worker_is_out_at_every_one_at_once(taught: TaughtArchive, members: Members) -> None:
    (place,) = taught.teach("One", taught.add()).places
    with served(taught.root, workers=2) as base:
        cookie = members.cookie("learner", f"coverslip-{base.rsplit(':', 1)[1]}")
        tile = f"{base}/slides/{place.handle}/tiles/0/0_0.jpg"
        assert statuses(tile, headers=cookie) == {200}
        (key,) = set(re.findall('name="key" value="([0-9a-f]{64})"', httpx.get(f"{base}/", headers=cookie).text))
        left = httpx.post(f"{base}/sign-out", data={"key": key}, headers={**cookie, "origin": base})
        assert left.status_code == 303
        time.sleep(2 * SECONDS_BETWEEN)
        assert statuses(tile, headers=cookie) == {401}
        assert statuses(f"{base}/", headers=cookie) == {303}


def test_another_role_acts_on_every_worker_at_once(taught: TaughtArchive, members: Members) -> None:
    members.store.grant("learner", Role.AUDITOR)
    (place,) = taught.teach("One", taught.add()).places
    with served(taught.root, workers=2) as base:
        session = members.session("learner")
        cookie = {"cookie": f"coverslip-{base.rsplit(':', 1)[1]}={session.token}"}
        tile = f"{base}/slides/{place.handle}/tiles/0/0_0.jpg"
        for role, status in ((Role.LEARNER, 200), (Role.AUDITOR, 404), (Role.LEARNER, 200)):
            members.store.choose_role(session.token, role)
            time.sleep(2 * SECONDS_BETWEEN)
            assert statuses(tile, headers=cookie) == {status}


def test_a_server_without_accounts_shows_nothing_more_once_there_are_some(
    taught: TaughtArchive, tmp_path: Path
) -> None:
    collection = taught.teach("One", taught.add())
    (place,) = collection.places
    log = tmp_path / "log"
    shows = [f"/slides/{place.handle}/tiles/0/0_0.jpg", f"/slides/{place.handle}", "/", "/api/collections"]
    shows += [f"/collections/{collection.handle}", f"/slides/{place.handle}/thumbnail.jpg", "/healthz"]
    with served(taught.root, workers=2, log=log) as base:
        for path in shows:
            assert statuses(base + path, 10) == {200}
        made = Members(taught.root)
        made.store.close()
        time.sleep(0.5)
        for path in shows:
            assert statuses(base + path, 10) == {503}, path
        assert "must start the server again" in httpx.get(base + shows[0]).text
    assert "RestartNeeded" in log.read_text()
    with served(taught.root) as base:
        assert httpx.get(base + shows[0]).status_code == 401


def test_behind_a_proxy_the_running_server_answers_under_its_name_and_prefix(
    taught: TaughtArchive, members: Members
) -> None:
    with served(taught.root, workers=1, behind_tls_proxy=True, hostname="slides.example", root_path="/archive") as base:
        named = {"host": "slides.example", **members.bearer(Role.EDUCATOR)}
        assert httpx.get(f"{base}/archive/api/collections", headers=named).json() == []
        assert httpx.get(f"{base}/api/collections", headers=named).status_code == 404
        assert httpx.get(f"{base}/archive/api/collections").status_code == 421
