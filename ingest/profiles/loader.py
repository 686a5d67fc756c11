"""A profile with a fault is refused as a whole: a misspelt word in it would otherwise silently keep nothing."""

import json
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import ValidationError

from archive.errors import InvalidValue
from ingest.profiles.profile import Profile

PROFILES = files("ingest.profiles") / "makers"
"""The folder of the profiles."""


def read_profile(text: str, place: str) -> Profile:
    """Read one profile.

    Parameters
    ----------
    text
        The TOML text.
    place
        What to call it in an error.

    Raises
    ------
    InvalidValue
        With every fault of the profile and where it stands.
    """
    try:
        # Through JSON, because there a strict model takes an array for a tuple and nothing else for anything else.
        return Profile.model_validate_json(json.dumps(tomllib.loads(text)))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise InvalidValue(f"the profile {place} is no TOML file of texts and numbers: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InvalidValue(f"the profile {place} is wrong: {faults}") from error


@cache
def read_profiles(folder: Traversable = PROFILES) -> dict[str, Profile]:
    """Read all profiles, by each name that readers use.

    Raises
    ------
    InvalidValue
        If a profile is wrong, or two of them claim the same name.
    """
    found: dict[str, Profile] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            profile = read_profile(entry.read_text(encoding="utf-8"), entry.name)
            for name in profile.names:
                if name in found:
                    raise InvalidValue(f"two profiles are for {name}; the second is {entry.name}")
                found[name] = profile
    return found
