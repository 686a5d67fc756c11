"""Any number of processes may have one vault open: all are given the same keys, and none waits for ever."""

import json
import subprocess
import sys
from pathlib import Path

from tests.ingest.keyvault.conftest import Place
from tests.ingest.keyvault.together import SLIDES


def test_processes_that_code_the_same_slides_at_once_get_the_same_keys(place: Place) -> None:
    place.create().close()
    arguments = [str(place.folder), str(place.key_file), "4"]
    command = [sys.executable, "-m", "tests.ingest.keyvault.together", *arguments]
    root = Path(__file__).parents[3]
    ended = subprocess.run(command, check=True, cwd=root, timeout=120, capture_output=True, text=True)
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(answers) == 4
    assert all(answer == answers[0] for answer in answers)
    assert len({slide for _, _, _, slide, _ in answers[0]}) == SLIDES
    with place.open() as vault:
        assert vault.check() == ()
        acts = [entry.act for entry in vault.trail()]
        assert acts.count("erased") == SLIDES
        assert acts.count("coded") == 4 * SLIDES + SLIDES
