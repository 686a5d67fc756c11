"""axe-core says what keeps somebody from using a page, with a keyboard, a screen reader or weak eyes."""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import absent

SOURCE = Path(__file__).parent / "axe"


@cache
def axe() -> str:
    """Install axe-core outside the repository, once for all tests of this process; gives its script."""
    npm = shutil.which("npm")
    if npm is None:
        absent("npm", "apt-get install nodejs npm")
    folder = Path(tempfile.mkdtemp(prefix="coverslip-axe-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SOURCE / file, folder)
    command = [str(npm), "ci", "--ignore-scripts", "--prefer-offline"]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
        axe.cache_clear()
        absent("axe-core", "npm has to reach its registry once, or have axe-core in its cache")
    return (folder / "node_modules/axe-core/axe.min.js").read_text("utf-8")


def faults_of(page: Page) -> list[str]:
    """Give every fault of a page: how bad it is, which rule, where, and what is wrong there."""
    page.evaluate(axe())
    found: list[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [
        f"{fault['impact']}: {fault['id']} at {node['target']}: {node['failureSummary']}"
        for fault in found
        for node in fault["nodes"]
    ]
