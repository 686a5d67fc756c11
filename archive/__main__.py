"""``python -m archive``: the archive without anything that could see a name, for a host that only serves."""

from archive.cli import main

if __name__ == "__main__":
    main()
