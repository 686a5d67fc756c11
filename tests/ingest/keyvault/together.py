"""Several processes use one vault at a time; each prints the keys it was given, one JSON line.

``python -m tests.ingest.keyvault.together FOLDER KEY_FILE PROCESSES``.
"""

import json
import os
import sys
from dataclasses import astuple
from pathlib import Path

from ingest.keyvault import KeyVault, PersonalIdentity
from tests.ingest.keyvault.conftest import digest

SLIDES = 12


def work(folder: Path, key_file: Path, erases: bool) -> None:
    with KeyVault.open(folder, key_file) as vault:
        answers = []
        for number in range(SLIDES):
            keys = vault.keys_for(PersonalIdentity(f"P{number // 3}"), f"C{number // 2}", "A1", f"HE {number}")
            answers.append((*astuple(keys), vault.record_file(digest(str(number)), keys.slide, f"{number}.svs")))
            if erases:
                vault.erase(vault.keys_for(PersonalIdentity("Erased"), "E", "A1", "HE").patient, "me", "request 17")
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    for number in range(int(sys.argv[3])):
        if os.fork() == 0:
            work(Path(sys.argv[1]), Path(sys.argv[2]), erases=number == 0)
            os._exit(0)
    while True:
        try:
            if os.wait()[1]:
                raise SystemExit("a process failed")
        except ChildProcessError:
            break
