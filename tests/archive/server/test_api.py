"""The JSON API tells sizes and scale by handle, keeps to its own description, and knows nothing else."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from archive.accounts import Role
from archive.geometry import MicronsPerPixel
from archive.server.api import CollectionListed, CollectionTold, SlideTold
from tests.archive.server.conftest import Opened
from tests.archive.server.members import Members
from tests.archive.server.taught import TaughtArchive, served, shrunk
from tests.slides.tissue import tissue

PICTURE = tissue(700, 500)
EXAMPLES = settings(
    max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_slide_is_told_as_a_viewer_needs_it(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add([PICTURE, shrunk(PICTURE, 4)], mpp=MicronsPerPixel(0.5, 0.25))
    collection = taught.teach("Kidney", code)
    told = opened(taught).get(f"/api/slides/{collection.places[0].handle}").json()
    assert told == {
        "handle": collection.places[0].handle,
        "number": 1,
        "collection": {"handle": collection.handle, "name": "Kidney"},
        "mpp": {"x": 0.5, "y": 0.25},
        "objective_power": 20.0,
        "colour_profile": "none",
        "levels": [
            {"width": 700, "height": 500, "tile_width": 128, "tile_height": 128, "downsample": 1.0},
            {"width": 350, "height": 250, "tile_width": 128, "tile_height": 128, "downsample": 2.0},
            {"width": 175, "height": 125, "tile_width": 128, "tile_height": 128, "downsample": 4.0},
        ],
    }


def test_a_slide_without_a_scale_says_so(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add(mpp=None)).places
    assert opened(taught).get(f"/api/slides/{place.handle}").json()["mpp"] is None


def test_a_collection_tells_what_may_be_shown_and_keeps_its_numbers(taught: TaughtArchive, opened: Opened) -> None:
    codes = [taught.add() for _ in range(3)]
    collection = taught.teach("Three", *codes)
    taught.refuse(codes[1])
    client = opened(taught)
    assert client.get("/api/collections").json() == [{"handle": collection.handle, "name": "Three", "slides": 2}]
    shown = client.get(f"/api/collections/{collection.handle}").json()["slides"]
    assert shown == [
        {"handle": collection.places[0].handle, "number": 1},
        {"handle": collection.places[2].handle, "number": 3},
    ]


def test_no_answer_tells_a_code_a_key_a_date_or_a_digest(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add()
    collection = taught.teach("One", code)
    (place,) = collection.places
    held = taught.archive.slide(code)
    secrets = {
        str(held.code),
        str(held.case_code),
        str(held.patient_code),
        str(held.scans[0].code),
        held.record.key,
        held.record.case,
        held.scans[0].record.key,
        held.scans[0].record.manifest_sha256,
        "Aperio",
        "GT450",
        str(taught.root),
    }
    client = opened(taught)
    for address in (
        "/",
        f"/collections/{collection.handle}",
        f"/slides/{place.handle}",
        f"/slides/{place.handle}.dzi",
        f"/slides/{place.handle}/thumbnail.jpg",
        f"/slides/{place.handle}/tiles/0/0_0.jpg",
        "/api/collections",
        f"/api/collections/{collection.handle}",
        f"/api/slides/{place.handle}",
        "/api/openapi.json",
    ):
        answer = client.get(address)
        everything = answer.content + repr(answer.headers.multi_items()).encode()
        for secret in secrets:
            assert secret.encode() not in everything
            assert secret.replace("-", "").encode() not in everything
        assert not re.search(rb"\b20[0-9]{2}-[01][0-9]-[0-3][0-9]", everything)


def test_the_api_has_no_field_that_is_not_described() -> None:
    for model in (CollectionListed, CollectionTold, SlideTold):
        assert model.model_config["extra"] == "forbid"


def ask(operation: schemathesis.APIOperation, headers: dict[str, str]) -> None:
    """Ask whatever the description allows, and hold each answer against it."""

    @EXAMPLES
    @given(case=operation.as_strategy())
    def asking(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers)

    asking()


@pytest.mark.timeout(120)
def test_the_api_keeps_to_its_description_whatever_is_asked(taught: TaughtArchive) -> None:
    collection = taught.teach("One", taught.add())
    known = {"collections": collection.handle, "slides": collection.places[0].handle}
    with served(taught.root) as base:
        schema = schemathesis.openapi.from_url(f"{base}/api/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) == 3
        for operation in operations:
            ask(operation, {})
            if "{handle}" in operation.path:
                handle = known[operation.path.split("/")[2]]
                assert operation.Case(path_parameters={"handle": handle}).call_and_validate().status_code == 200


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["educator", "auditor", None])
def test_with_accounts_it_keeps_to_its_description_too(
    taught: TaughtArchive, members: Members, role: Role | None
) -> None:
    collection = taught.teach("One", taught.add())
    known = {"collections": collection.handle, "slides": collection.places[0].handle}
    educator = members.bearer(Role.EDUCATOR)
    headers = members.bearer(Role(role)) if role else {}
    with served(taught.root) as base:
        schema = schemathesis.openapi.from_url(f"{base}/api/openapi.json", headers=educator)
        assert schema.raw_schema["security"] == [{"token": []}]
        for operation in [found.ok() for found in schema.get_all_operations()]:
            ask(operation, headers)
            handle = known[operation.path.split("/")[2]]
            case = operation.Case(path_parameters={"handle": handle} if "{handle}" in operation.path else {})
            status = case.call_and_validate(headers=headers).status_code
            assert status == {"educator": 200, "auditor": 404, None: 401}[role]


def test_the_description_is_for_those_who_may_use_it(taught: TaughtArchive, members: Members, opened: Opened) -> None:
    client = opened(taught)
    assert client.get("/api/openapi.json").status_code == 401
    assert client.get("/api/openapi.json", members.bearer(Role.AUDITOR)).status_code == 404
    assert client.get("/api/openapi.json", members.bearer(Role.LEARNER)).status_code == 200
