"""Delivery lists and feeds: ``delivery template``, ``delivery check``, ``feed add``, ``feed list``."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from archive.accounts import Action
from archive.cli.proving import Who, actor_of, in_person, named
from archive.cli.sentences import ArchiveFolder, out, said
from archive.consent.terms import Jurisdiction, TissueSource
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.cli.taking_in import FeedName, MappingFile, choose_feed
from ingest.delivery import ColumnMapping, Feed, feeds_of, read_delivery, template
from ingest.keyvault import KeyVault

REVIEW_DAYS = 365
"""A feed is looked at again within a year unless somebody says otherwise."""

delivery_app = typer.Typer(help="Delivery lists: whose slide each file is.", no_args_is_help=True)
feed_app = typer.Typer(help="Feeds: what is true of all slides from one source.", no_args_is_help=True)


@delivery_app.command("template")
@said
def print_template(
    full: Annotated[bool, typer.Option("--full", help="With every optional column, each explained.")] = False,
) -> None:
    """Print an empty delivery list, to be filled in with any spreadsheet."""
    print(template(full=full), end="")


@delivery_app.command("check")
@said
def check(
    delivery: Annotated[Path, typer.Argument(metavar="LIST", help="The delivery list.")],
    mapping: MappingFile = None,
    feed: FeedName = None,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
) -> None:
    """Read a list and report every fault at once: row, column, what was found, what was expected."""
    places, chosen = Places.of(archive, vault, vault_key), None
    if places.exist:
        with places.opened() as (_, keyvault):
            chosen = choose_feed(keyvault, feed)
    rows = read_delivery(delivery, ColumnMapping.read(mapping) if mapping else None, chosen)
    by_feed = f", with the defaults of the feed {chosen.name!r}" if chosen else ""
    out().print(f"{len(rows)} row{'s' if len(rows) != 1 else ''}, no fault{by_feed}.")


@feed_app.command("add")
@said
def add(
    name: Annotated[str, typer.Argument(help="Its name, such as surgical.")],
    source: Annotated[TissueSource, typer.Option(prompt="Tissue from", help="Where its tissue is from.")],
    jurisdiction: Annotated[Jurisdiction, typer.Option(prompt=True, help="Whose law applies.")],
    attested_by: Annotated[str, typer.Option(prompt="Who attests this", help="Who says so; kept in the vault.")],
    post_mortems: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of post-mortems' case numbers, such as PM* or A##-*; may be given several times."),
    ] = None,
    no_post_mortems: Annotated[
        str, typer.Option(help="Instead: a signed statement that the feed cannot contain post-mortems.")
    ] = "",
    review: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day by which to look at it again; in a year.")
    ] = None,
    barcode: Annotated[
        str, typer.Option(help="How a label's barcode is composed of a row's cells, such as '{case};{block};{slide}'.")
    ] = "",
    barcode_required: Annotated[
        bool, typer.Option("--barcode-required", help="Take no slide whose label cannot be read.")
    ] = False,
    default: Annotated[bool, typer.Option("--default", help="Use it for lists that name no feed.")] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Declare a feed once, so that its lists need only file, patient, case, block and stain.

    Tissue from the living needs a pattern that tells post-mortems, or a signed statement that there can be none.
    """
    actor = in_person(actor_of(archive, who, Action.INGEST))
    patterns = tuple(post_mortems or ())
    if source is TissueSource.LIVING and not patterns and not no_post_mortems:
        asked = typer.prompt("Pattern of post-mortems' case numbers, such as PM*")
        patterns = (str(asked),)
    feed = Feed(
        name=name,
        source=source,
        jurisdiction=jurisdiction,
        attested_by=attested_by,
        review_date=review.date() if review else date.today() + timedelta(REVIEW_DAYS),
        post_mortem_patterns=patterns,
        no_post_mortems=no_post_mortems,
        default=default,
        barcode=barcode,
        barcode_required=barcode_required,
    )
    places = Places.of(archive, vault, vault_key)
    if not places.exist:
        places.create()
    with places.opened() as (_, keyvault):
        _declare(keyvault, feed, named(actor, who))
    out().print(f"The feed {feed.name!r} is declared; look at it again by {feed.review_date}.")


def _declare(vault: KeyVault, feed: Feed, who: str) -> None:
    """Declare a feed; if it is the default, the one that was so before is not any more."""
    if feed.default:
        for other in feeds_of(vault.declared("feed")).values():
            if other.default and other.name != feed.name:
                vault.declare("feed", other.name, replace(other, default=False).to_json(), who=who)
    vault.declare("feed", feed.name, feed.to_json(), who=who)


@feed_app.command("list")
@said
def list_feeds(
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """List the feeds that are declared."""
    actor_of(archive, who, Action.INGEST)
    with Places.of(archive, vault, vault_key).opened() as (_, keyvault):
        feeds = feeds_of(keyvault.declared("feed"))
    if not feeds:
        out().print("No feed is declared yet. Declare one with: coverslip feed add NAME")
        return
    table = Table("feed", "tissue from", "law of", "post-mortems are", "review by", "", box=None, pad_edge=False)
    for feed in feeds.values():
        told = ", ".join(feed.post_mortem_patterns) or ("ruled out by a statement" if feed.no_post_mortems else "-")
        due = f"[red]{feed.review_date}[/red]" if feed.is_overdue(date.today()) else str(feed.review_date)
        table.add_row(feed.name, feed.source, feed.jurisdiction, told, due, "default" if feed.default else "")
    out().print(table)
