"""A channel keeps its name only where that is a term of the published list."""

import re

import pytest

from archive.holdings.pixels import Channel
from ingest.deidentify.channels import NamedChannel, name_channels
from ingest.profiles.channel_names import channel_colours, channel_term


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DAPI", "DAPI"),
        (" dapi ", "DAPI"),
        ("opal520", "Opal 520"),
        ("Opal-520", "Opal 520"),
        ("KI67", "Ki-67"),
        ("CD8 (Opal 520)", "CD8 (Opal 520)"),
        ("opal 520 (cd8)", "Opal 520 (CD8)"),
    ],
)
def test_a_listed_name_is_kept_in_the_spelling_of_the_list(text: str, name: str) -> None:
    assert name_channels([(text, None)])[0].name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Jane Doe",
        "DAPI Jane Doe",
        "Jane (DAPI)",
        "DAPI (Jane)",
        "DAPI (DAPI)",
        "DAPI (",
        "()",
        "D" * 97,
        "S26-1234",
    ],
)
def test_any_other_name_is_a_number(text: str) -> None:
    named = name_channels([("DAPI", None), (text, None)])
    assert named[1].name == "channel 2"


def test_colours_are_the_files_where_it_tells_any_that_can_be_seen() -> None:
    named = name_channels([("DAPI", "123456"), ("DAPI", None), ("DAPI", "000000"), ("", None), ("", "000000")])
    assert [channel.colour for channel in named] == ["123456", "0000FF", "0000FF", "FFFF00", "FF00FF"]


def test_every_listed_term_is_a_name_and_a_colour_that_the_archive_takes() -> None:
    for name, colour in channel_colours().items():
        assert Channel(name, colour, 0, 1).name == name
        assert channel_term(name) == (name, colour)
        assert re.fullmatch("[0-9A-F]{6}", colour)


def test_no_two_terms_are_the_same_but_for_spelling() -> None:
    assert len({channel_term(name.upper().replace(" ", "")) for name in channel_colours()}) == len(channel_colours())


def test_the_longest_pair_of_terms_is_a_name_that_the_archive_takes() -> None:
    longest = sorted(channel_colours(), key=len)[-2:]
    (named,) = name_channels([(f"{longest[0]} ({longest[1]})", None)])
    assert named == NamedChannel(f"{longest[0]} ({longest[1]})", channel_colours()[longest[0]])
    assert Channel(named.name, named.colour, 0, 1).name == named.name
