"""The viewer is built when the package is built, so that whoever installs Coverslip needs one command.

Where npm is missing or cannot reach its registry, the package is built all the same: everything but the viewer works,
and the server's pages say how to get it. Setting ``COVERSLIP_VIEWER=required`` turns that into a failure, for releases.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = "archive/viewer"
BUILT = "archive/server/static"
STAMP = "built-from.txt"
"""Holds the digest of the sources that the viewer was built from, so that it is not built twice."""

NOT_SOURCES = {"node_modules", "test"}
LONGEST_BUILD_SECONDS = 600


class ViewerBuildHook(BuildHookInterface[Any]):
    """Builds ``archive/viewer`` into ``archive/server/static`` before the package's files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the viewer, unless the one that is there was built from these very sources."""
        sources, built = Path(self.root, SOURCES), Path(self.root, BUILT)
        stamp = built / STAMP
        wanted = digest_of(sources)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        trouble = build(sources)
        if trouble is None:
            stamp.write_text(wanted)
        elif os.environ.get("COVERSLIP_VIEWER") == "required":
            raise RuntimeError(f"the viewer was not built: {trouble}")
        else:
            self.app.display_warning(
                f"Coverslip is built WITHOUT ITS VIEWER: {trouble}. Everything else works. "
                "To have the viewer, install Node.js 20.19 or newer with npm and install Coverslip again."
            )


def digest_of(sources: Path) -> str:
    """Digest of all files that the viewer is made of: their names and contents."""
    digest = hashlib.sha256()
    files = [file for file in sources.rglob("*") if file.is_file()]
    for file in sorted(files):
        name = file.relative_to(sources)
        if NOT_SOURCES.isdisjoint(name.parts):
            digest.update(f"{name.as_posix()}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def build(sources: Path) -> str | None:
    """Fetch what the lock file names, exactly that, and build; say what stood in the way, or None."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm was not found"
    steps = (["ci", "--omit=dev", "--ignore-scripts"], ["run", "build"])
    for step in steps:
        try:
            done = subprocess.run(  # noqa: S603  fixed words, and npm as found on the PATH
                [npm, *step], cwd=sources, capture_output=True, text=True, timeout=LONGEST_BUILD_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"npm {step[0]} did not finish ({type(error).__name__})"
        if done.returncode != 0:
            last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it did not say why")
            return f"npm {step[0]} failed: {last.strip()}"
    return None
