"""The notebooks run from the top on any machine, and what is stored of them is what they give."""

import base64
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

RUN = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""
"""Run apart, since the kernel's own libraries warn of themselves."""

LARGEST_BYTES = 300_000
"""A page that people read, and not a place to keep pictures."""


def kinds(notebook: Any) -> list[list[str]]:
    """Tell what each cell gives: text, pictures, tables."""
    return [
        sorted({kind for output in cell.get("outputs", ()) for kind in (output.get("data") or [output.output_type])})
        for cell in notebook.cells
    ]


def pictures(notebook: Any) -> list[Any]:
    """Decode the pictures of a notebook, (height, width, 3) uint8 each."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            for kind, data in (output.get("data") or {}).items():
                if kind.startswith("image/"):
                    found.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")))
    return found


def test_there_is_a_notebook_for_each_kind_of_user() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["01_archive_a_slide", "02_query_a_cohort", "03_teach_with_tiles"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_gives_what_is_stored_of_it(path: Path, tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
    said = subprocess.run(
        [sys.executable, "-c", RUN, str(path), str(tmp_path / "run.ipynb")],
        cwd=tmp_path,
        env=own | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr[-4000:]
    stored, run = nbformat.read(path, 4), nbformat.read(tmp_path / "run.ipynb", 4)
    assert kinds(run) == kinds(stored)
    assert len(pictures(run)) == len(pictures(stored)) > 0
    for one, other in zip(pictures(run), pictures(stored), strict=True):
        assert one.shape == pytest.approx(other.shape, abs=12)  # a title with a code is not always as wide
        assert one.std() > 15
        assert other.std() > 15
    assert str(tmp_path) not in (tmp_path / "run.ipynb").read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored_of_a_notebook_is_small_and_tells_no_machine(path: Path) -> None:
    text = path.read_text()
    assert len(text) < LARGEST_BYTES
    assert not re.search(r"/(?:tmp|home|root|var|private|Users)/", text)
    assert "Traceback" not in text
    assert '"output_type": "error"' not in text
