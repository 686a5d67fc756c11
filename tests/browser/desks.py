"""A desk in a process of its own, and a browser's visit to it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Request

from tests.archive.server.taught import free_port
from tests.journeys.laboratory import ROOT

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/enter/[\w-]{43}")
AT_A_DESK_WITH_ACCOUNTS = re.compile(r"http://127\.0\.0\.1:\d+$")
SHOTS = os.environ.get("COVERSLIP_TEST_SHOTS")
"""Folder for pictures of every page, for people to look at; none unless given."""


class DeskProcess:
    """A desk in a process of its own; its announcements can be read one after the other."""

    def __init__(self, archive: Path, idle_minutes: float = 15) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
        settings = {"COVERSLIP_ARCHIVE": str(archive), "COVERSLIP_DESK_IDLE_MINUTES": str(idle_minutes)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ingest", "desk", "--port", str(free_port())],
            cwd=ROOT,
            env=own | settings | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def address(self, announced: re.Pattern[str] = ADDRESS) -> str:
        """Wait for the next address that is announced."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := announced.search(line):
                return found[0]
        raise AssertionError("the desk ended without an address")

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=30)
        finally:
            self.process.kill()
            self.process.wait()


class Visit:
    """A page of the desk, every complaint of its console, and every address it asked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.addresses: set[str] = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 400" not in message.text:  # a form that was refused with a sentence
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.addresses.add(request.url)

    def find(self, case: str, purpose: str = "Clinical review") -> None:
        self.page.get_by_label("Accession number").fill(case)
        self.page.get_by_text(purpose, exact=True).click()
        self.page.get_by_role("button", name="Find", exact=True).click()

    def shoot(self, name: str) -> None:
        shoot(self.page, name)


def shoot(page: Page, name: str) -> None:
    """Take a picture of a page, where somebody wants to look at them."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
