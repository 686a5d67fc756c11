"""What each maker's metadata means, as data that a laboratory can read: one TOML file a maker.

A profile lists the few properties that are read, their units, and the range in which a value is believed. Whatever a
profile does not list is left behind; there is no list of what to remove.
"""

from ingest.profiles.loader import PROFILES, read_profile, read_profiles
from ingest.profiles.profile import LENGTHS_UM, Gives, ModelRule, PixelSizeRule, Plausible, Profile
from ingest.profiles.public_keys import public_keys

__all__ = [
    "LENGTHS_UM",
    "PROFILES",
    "Gives",
    "ModelRule",
    "PixelSizeRule",
    "Plausible",
    "Profile",
    "product_names",
    "profile_for",
    "public_keys",
    "read_profile",
    "read_profiles",
]

FALLBACK = "generic"
"""For a maker without a profile of its own: an allow-list is safe whoever wrote the file."""


def product_names() -> frozenset[str]:
    """Give every maker and model that any profile can tell."""
    profiles = read_profiles().values()
    rules = [rule for profile in profiles for rule in profile.model]
    names = [profile.maker for profile in profiles] + [rule.maker for rule in rules] + [rule.model for rule in rules]
    return frozenset(name for name in names if name)


def profile_for(maker: str) -> Profile:
    """Give the profile for a maker as the readers name it, such as ``"aperio"``."""
    profiles = read_profiles()
    return profiles.get(maker, profiles[FALLBACK])
