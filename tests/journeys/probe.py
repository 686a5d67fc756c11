"""A command for `test_ready`, which tells what it was given, or ends in a way of its own: ``python -m ... WORD``."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Do what the first word asks for."""
    match sys.argv[1:]:
        case ["says"]:
            print(sys.argv[1:], os.environ.get("COVERSLIP_PROBE"), sorted(os.environ.keys() - {"LC_CTYPE"}))
            print("and more", file=sys.stderr)
        case ["reads"]:
            print(sys.stdin.read(), sys.stdin.isatty(), sys.stdout.isatty(), sys.stdout.encoding)
        case ["ends", code]:
            sys.exit(int(code))
        case ["fails"]:
            raise SystemExit("a sentence")
        case ["dies"]:
            os.kill(os.getpid(), signal.SIGTERM)
        case ["folder"]:
            print(Path.cwd(), sys.path[0], tempfile.tempdir)
        case ["session"]:
            print(os.getsid(0) == os.getpid(), signal.getsignal(signal.SIGCHLD), signal.getsignal(signal.SIGPIPE))
        case ["threads"]:
            print(__name__, sys.modules["__main__"].__name__, "pytest" in sys.modules)
        case ["waits", path]:
            child = subprocess.Popen(["/bin/sleep", "600"])
            Path(path).write_text(str(child.pid))
            time.sleep(600)


if __name__ == "__main__":
    main()
