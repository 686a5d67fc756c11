"""Keys that makers publish may be named in a report; any other key may itself be a name, and is only counted."""

import re
import tomllib
from functools import cache
from importlib.resources import files

_INDEX = re.compile(r"\[\d{1,6}\]")


@cache
def public_keys() -> frozenset[str]:
    """Give the keys that may be named, such as ``aperio.Filename``; ``[]`` stands for any index in brackets."""
    groups = tomllib.loads((files("ingest.profiles") / "public_keys.toml").read_text(encoding="utf-8"))
    return frozenset(f"{prefix}.{key}" for prefix, keys in groups.items() for key in keys)


def public_form(key: str) -> str | None:
    """Give the published form of a key, without its indices, or None if it is not published."""
    form = _INDEX.sub("[]", key)
    return form if form in public_keys() else None
