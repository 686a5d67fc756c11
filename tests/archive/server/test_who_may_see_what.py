"""Who asks x in which role x for which address x what the rules say x what still works: compared with an oracle.

The oracle below says again, in its own words, what the server must do; it shares no table with it.
"""

import itertools
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from archive.accounts import AccountStore, Action, Grant, Role
from archive.records import ScanStatus
from archive.server import guard, tiles
from archive.server.app import create_app
from archive.settings import ArchiveSettings
from archive.teaching import remove
from tests.archive.server.conftest import Client, client_of
from tests.archive.server.members import COOKIE, SEVERAL, Members
from tests.archive.server.taught import TaughtArchive
from tests.slides.colour_charts import scanner

TEACHING_ROLES = {"educator", "learner"}
"""Who is here for teaching collections; nobody else's work is done on this server."""

PROGRAMS = (Role.RESEARCHER, Role.EDUCATOR, Role.LEARNER, Role.AUDITOR)
"""Roles for which there are tokens."""

OF_SLIDE = {
    "/slides/{}": "page",
    "/slides/{}.dzi": "picture",
    "/slides/{}/thumbnail.jpg": "picture",
    "/slides/{}/tiles/0/0_0.jpg": "picture",
    "/slides/{}/tiles/1/0_0.jpg": "picture",
    "/slides/{}_files/9/0_0.jpeg": "picture",
    "/slides/{}_files/7/0_0.jpeg": "picture",
    "/slides/{}/srgb/tiles/0/0_0.jpg": "picture",
    "/api/slides/{}": "program",
}
OF_COLLECTION = {"/collections/{}": "page", "/api/collections/{}": "program"}
OF_ALL = {"/": "page", "/api/collections": "program", "/api/openapi.json": "program"}
OF_MEMBERS = {"/role": "page"}
OF_ANYBODY = {"/sign-in": "page", "/healthz": "page", "/static/pages.css": "page"}
OF_NOBODY = {"/nothing": "page", "/api/nothing": "program", "/docs": "page"}
ELSEWHERE = {"/sign-out", "/sign-in/openid", "/sign-in/openid/return"}
"""What shows nothing and leads on: people leave by a form, and come back from the hospital's own sign-in."""

KINDS = OF_SLIDE | OF_COLLECTION | OF_ALL | OF_MEMBERS | OF_ANYBODY | OF_NOBODY


@dataclass(frozen=True)
class Asker:
    """Somebody, what they send, and what the oracle has to know of them."""

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    person: bool = False
    role: str | None = None
    limited: bool = False


def status_expected(asker: Asker, route: str, decision: str) -> int:
    """Say what must come of it: the oracle."""
    if route in OF_ANYBODY:
        return 200
    if route in OF_MEMBERS and asker.person:
        return 200
    if asker.role is None:
        return 303 if KINDS[route] == "page" else 401
    if asker.role not in TEACHING_ROLES or (asker.limited and route in OF_SLIDE):
        return 404
    if route in OF_ALL:
        return 200
    if route in OF_SLIDE | OF_COLLECTION:
        return 200 if decision == "allowed" else 404
    return 404


def told(answer: httpx.Response) -> tuple[object, ...]:
    """Give everything of an answer that anybody could see."""
    return answer.status_code, sorted(answer.headers.multi_items()), answer.content


@dataclass(frozen=True)
class Scene:
    """A server with accounts, who asks it, and where handles lead."""

    client: Client
    askers: tuple[Asker, ...]
    slides: dict[str, str]
    collections: dict[str, str]
    root: Path

    def address(self, route: str, decision: str) -> str:
        return route.format((self.slides if route in OF_SLIDE else self.collections)[decision])


def all_askers(members: Members, root: Path) -> Iterator[Asker]:
    """Give everybody who could ask, in the order in which they came in."""
    members.store.add("away", grants=[Grant(Role.LEARNER)])
    with AccountStore.open(root, clock=lambda: time.time() - 3600) as an_hour_ago:
        session = an_hour_ago.sign_in_vouched(
            "away", "test", "away"
        )  # first: with a clock set back, no later session lives
    yield Asker("a person who was away for an hour", (("cookie", f"{COOKIE}={session.token}"),))
    yield Asker("nobody")
    yield Asker("an unknown cookie", (("cookie", f"{COOKIE}=0"),))
    yield Asker("a cookie that is none", (("cookie", 'a;;="'),))
    yield Asker("an unknown token", (("authorization", "Bearer 0"),))
    yield Asker("another scheme", (("authorization", "Basic bGVhcm5lcjo="),))
    for role in Role:
        yield Asker(f"a person as {role}", sends(members.cookie(role)), person=True, role=str(role))
    for role in PROGRAMS:
        yield Asker(f"a program as {role}", sends(members.bearer(role)), role=str(role))
    yield Asker("a person who has not chosen", sends(members.cookie(SEVERAL)), person=True)
    listing = members.bearer(Role.LEARNER, [Action.SEE_COLLECTIONS])
    yield Asker("a program that may only list", sends(listing), role="learner", limited=True)
    yield from who_was_in(members)


def who_was_in(members: Members) -> Iterator[Asker]:
    """Give those who were let in once, and are not any more."""
    store = members.store
    for name in ("signed.out", "disabled", "revoked", "with.token"):
        store.add(name, grants=[Grant(Role.LEARNER)])
    left = members.session("signed.out")
    store.sign_out(left.token)
    yield Asker("a person who signed out", (("cookie", f"{COOKIE}={left.token}"),))
    disabled = members.cookie("disabled")
    store.disable("disabled")
    yield Asker("a person who was disabled", sends(disabled))
    revoked = members.cookie("revoked")
    store.revoke("revoked", Role.LEARNER)
    yield Asker("a person whose role was taken", sends(revoked))
    ended = store.new_token("with.token", Role.LEARNER)
    store.end_token(ended.number)
    yield Asker("a token that was ended", (("authorization", f"Bearer {ended.secret}"),))


def sends(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(headers.items())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Open a server with accounts over slides that are shown, refused, withdrawn, and taken out of their collection."""
    root = tmp_path_factory.mktemp("scene") / "archive"
    taught = TaughtArchive(root)
    codes = {name: taught.add(profile=scanner()) for name in ("allowed", "refused", "withdrawn", "removed")}
    slides, collections = {"unknown": "0" * 26}, {"unknown": "0" * 26}
    for name, code in codes.items():
        collection = taught.teach(name, code)
        slides[name], collections[name] = collection.places[0].handle, collection.handle
    taught.refuse(codes["refused"])
    scan = taught.archive.slide(codes["withdrawn"]).scans[0].record.key
    taught.archive.set_status(scan, ScanStatus.WITHDRAWN, reason="withdrawn")
    remove(taught.archive, "removed", [codes["removed"]])
    members = Members(root)
    askers = tuple(all_askers(members, root))
    client = client_of(taught)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archive.server.front.NOTHING_HERE_SECONDS", 0.0)
        yield Scene(client, askers, slides, collections, root)
    client.close()
    members.store.close()
    taught.archive.close()


def every_case(scene: Scene) -> Iterator[tuple[Asker, str, str]]:
    for asker, route in itertools.product(scene.askers, KINDS):
        for decision in scene.slides if "{}" in route else ("allowed",):
            yield asker, route, decision


def differences(scene: Scene, cases: Iterable[tuple[Asker, str, str]], given: Counter[int]) -> Iterator[object]:
    """Compare every answer with the oracle's; count the statuses that were given."""
    for asker, route, decision in cases:
        answer = scene.client.get(scene.address(route, decision), dict(asker.headers))
        expected = status_expected(asker, route, decision)
        given[answer.status_code] += 1
        if answer.status_code != expected:
            yield asker.name, route, decision, answer.status_code, expected


def test_every_answer_is_the_one_that_the_oracle_gives(scene: Scene) -> None:
    given = Counter[int]()
    assert list(differences(scene, every_case(scene), given)) == []
    assert len(scene.askers) == 23
    assert set(given) == {200, 303, 401, 404}
    assert sum(given.values()) > 1_300


def test_every_route_of_the_server_is_in_this_matrix(scene: Scene) -> None:
    """Whoever adds a route says above who may have it, or this fails."""
    settings = {"archive": scene.root, "oidc_issuer": "https://login.hospital.example"}
    app = create_app(ArchiveSettings(**settings))
    try:
        routes = {re.sub(r"\{\w+\}", "{}", context.path) for context in iter_route_contexts(app._others.routes)}
    finally:
        app.close()
    assert routes - KINDS.keys() - ELSEWHERE - {"/static/{}"} == set()
    assert {"/slides/{}", "/api/collections", "/role", *ELSEWHERE} < routes


def test_every_kind_of_picture_is_in_this_matrix() -> None:
    kinds = [kind for name, kind in vars(tiles).items() if isinstance(kind, re.Pattern) and name != "_ANY_TILE"]
    pictures = [route.format("0" * 26) for route in OF_SLIDE if KINDS[route] == "picture"]
    assert len(kinds) == 3
    assert all(any(kind.fullmatch(route) for route in pictures) for kind in kinds)
    assert all(tiles.is_picture(route) for route in pictures)


LOOSER_OR_TIGHTER = {
    "no rule for collections": {"NEEDS": guard.NEEDS[1:]},
    "no rule for slides": {"NEEDS": guard.NEEDS[:-1]},
    "slides are listed, not opened": {"NEEDS": tuple((where, Action.SEE_COLLECTIONS) for where, _ in guard.NEEDS)},
    "slides are for educators": {"NEEDS": tuple((where, Action.LIST_SLIDES) for where, _ in guard.NEEDS)},
    "slides are the pathologist's": {"NEEDS": tuple((where, Action.FIND_CASE) for where, _ in guard.NEEDS)},
    "the audit is everybody's": {"NEEDS": ((re.compile(".*"), Action.SEE_COLLECTIONS),)},
    "the first page is open": {"OPEN_TO_ALL": re.compile(f"{guard.OPEN_TO_ALL.pattern}|/")},
    "programs need no token": {"OPEN_TO_ALL": re.compile(f"{guard.OPEN_TO_ALL.pattern}|/api/collections")},
    "whoever is in needs no role": {"OPEN_TO_MEMBERS": re.compile(".*")},
    "roles are chosen by nobody": {"OPEN_TO_MEMBERS": re.compile("/sign-out")},
    "nobody signs in": {"OPEN_TO_ALL": re.compile("/healthz|/static/[^/]+")},
}


@pytest.mark.parametrize("change", LOOSER_OR_TIGHTER)
def test_this_matrix_sees_a_rule_that_is_left_out_or_changed(
    scene: Scene, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LOOSER_OR_TIGHTER[change].items():
        monkeypatch.setattr(guard, name, value)
    assert any(differences(scene, every_case(scene), Counter()))


def test_whatever_may_not_be_seen_looks_exactly_like_what_never_was(scene: Scene) -> None:
    for asker, route, decision in every_case(scene):
        if status_expected(asker, route, decision) == 404 and "{}" in route:
            headers = dict(asker.headers)
            refused = scene.client.get(scene.address(route, decision), headers)
            unknown = scene.client.get(scene.address(route, "unknown"), headers)
            assert told(refused) == told(unknown), (asker.name, route, decision)


def test_whoever_is_not_in_learns_from_no_answer_what_there_is(scene: Scene) -> None:
    """One and the same answer, but for the address that a browser comes back to."""
    for asker in scene.askers:
        if asker.role is None and not asker.person:
            for route in (*OF_SLIDE, *OF_COLLECTION):
                answers = set()
                for decision, handle in scene.slides.items():
                    handle = handle if route in OF_SLIDE else scene.collections[decision]
                    answer = scene.client.get(route.format(handle), dict(asker.headers))
                    answers.add(repr(told(answer)).replace(handle, "HANDLE"))
                assert len(answers) == 1, (asker.name, route)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_no_other_method_shows_more(scene: Scene, method: str) -> None:
    for asker, route, decision in every_case(scene):
        if route in OF_SLIDE and decision != "removed":
            answer = scene.client.request(method, scene.address(route, decision), dict(asker.headers))
            expected = status_expected(asker, route, decision)
            assert answer.status_code in (
                {expected} if method == "HEAD" and KINDS[route] != "program" else {expected, 405}
            )
            assert answer.status_code != 200 or method == "HEAD"


@pytest.mark.parametrize("lost", ["catalogue.sqlite", "accounts.sqlite"])
def test_with_a_database_gone_nobody_sees_anything(scene: Scene, lost: str) -> None:
    file, aside = scene.root / lost, scene.root / f"{lost}.aside"
    file.rename(aside)
    try:
        for asker, route, decision in every_case(scene):
            if route in OF_SLIDE | OF_COLLECTION | OF_ALL and decision in ("allowed", "unknown"):
                answer = scene.client.get(scene.address(route, decision), dict(asker.headers))
                described = route == "/api/openapi.json" and status_expected(asker, route, decision) == 200
                assert answer.status_code in (303, 401, 404, 503) or described, (asker.name, route)
                if status_expected(asker, route, decision) == 200 and not described:
                    assert answer.status_code == 503, (asker.name, route)
        assert scene.client.get("/healthz").status_code == 503
    finally:
        aside.rename(file)
    learner = next(asker for asker in scene.askers if asker.name == "a person as learner")
    assert scene.client.get("/", dict(learner.headers)).status_code == 200, "it does not come back"
