"""``coverslip``, or ``python -m ingest``."""

import sys

READS_SLIDES = {"demo", "doctor", "ingest", "inspect"}


def main() -> None:
    """Run a command.

    The process that slides are read in takes a second to import its readers; it is started first, and does so while
    this process imports its own.
    """
    command = next(iter(sys.argv[1:]), None)
    if command in READS_SLIDES and "--help" not in sys.argv:
        from ingest.pipeline.jailed import PREPARED
        from ingest.sandbox import prepare

        prepare(*PREPARED)
    from archive.cli.sentences import begin_log
    from ingest.cli.main import app

    begin_log()
    app(command)()


if __name__ == "__main__":
    main()
