"""How many there are, and how much it is, in the words in which people say it."""


def counted(count: int, one: str, several: str | None = None) -> str:
    """Say how many there are of something: "1 scan", "1,200 scans"; with its verb, if both forms are given.

    Parameters
    ----------
    count
        How many.
    one
        What one of it is called, such as "scan", or "scan was".
    several
        What several, or none, are called; with an s unless given.
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def bytes_told(count: float) -> str:
    """Tell a number of bytes as people do: 12.3 MB, 4.5 GB."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:,.1f} kB"
