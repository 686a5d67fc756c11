"""Somebody signs in at the hospital's own place in a real browser, and comes back from there to the slides."""

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from archive.server.oidc import BACK
from tests.archive.accounts.hospital import SECRET, hospital
from tests.archive.server.members import Members
from tests.archive.server.taught import TaughtArchive, free_port, served
from tests.slides.tissue import tissue


def sign_in_at_the_hospital(page: Page, login: str) -> None:
    """Do what a person does at the provider: type name and password, and agree."""
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("whatever it is")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()


def cookies_of(context: BrowserContext) -> dict[str, str | None]:
    return {each["name"]: each["sameSite"] for each in context.cookies() if each["name"].startswith("coverslip")}


def test_a_browser_comes_back_from_another_site_signed_in(tmp_path: Path, chromium: Browser) -> None:
    taught = TaughtArchive(tmp_path / "archive")
    taught.teach("Skin", taught.add([tissue(600, 400)]))
    members, port = Members(taught.root), free_port()
    # For a browser, localhost and 127.0.0.1 are two sites: a strict cookie does not travel from one to the other.
    with (
        hospital(f"http://127.0.0.1:{port}{BACK}", host="localhost") as issuer,
        served(taught.root, port=port, oidc_issuer=issuer, oidc_client_secret=SECRET) as base,
        chromium.new_context() as context,
    ):
        page = context.new_page()
        page.goto(f"{base}/")
        page.get_by_role("link", name="Use the hospital's own sign-in").click()
        expect(page).to_have_url(re.compile(f"^{re.escape(issuer)}/"))
        sign_in_at_the_hospital(page, "learner")
        expect(page).to_have_url(f"{base}/")
        expect(page.get_by_role("link", name="Skin")).to_be_visible()
        assert cookies_of(context) == {f"coverslip-{port}": "Strict"}
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{base}/sign-in")
        page.goto(f"{base}/")
        expect(page).to_have_url(f"{base}/sign-in?next=%2F")
    members.store.close()
    taught.archive.close()
