"""What consent records and their acts look like on the terminal: codes, roles, words of closed lists."""

from collections.abc import Iterable, Mapping

import typer
from rich.table import Table

from archive.cli.sentences import out
from archive.codes import InternalKey
from archive.consent.terms import SECONDARY
from archive.holdings.consenting import Kept, Outcome
from ingest.keyvault import Evidence

PUT_AWAY = 3
"""Exit code when it was recorded and some scans may not be opened any more."""


def tell_outcome(outcome: Outcome, verb: str) -> None:
    """Tell what came of it, by codes and words of closed lists."""
    out().print(f"[green]{verb}[/green] for {outcome.subject}.")
    for case, changed in outcome.changed.items():
        for name, both in changed.items():
            was, now = (said_of(one) for one in both) if isinstance(both, list) else ("", both)
            out().print(f"{case}, {name}: {was} -> {now}", markup=False)
    if not outcome.changed:
        out().print("No case is decided otherwise: what was known before weighs more, or there is no case yet.")
    for scan, change in outcome.scans.items():
        was, now = change if isinstance(change, list) else ("", change)
        out().print(f"[red]{scan}[/red] is {now}, was {was}")
    if any(isinstance(change, list) and change[0] == "kept" for change in outcome.scans.values()):
        raise typer.Exit(PUT_AWAY)


def table_of(records: Iterable[Kept], proofs: Mapping[InternalKey, Evidence], *, with_proofs: bool) -> Table:
    """Show records in their order; with the evidence it names people."""
    table = Table("no", "said", "by", "for", "found out", "recorded by", "of", box=None, pad_edge=False)
    if with_proofs:
        table.add_column("evidence")
    for one in records:
        kept = one.record
        told = "; ".join(f"{name}={said_of(value)}" for name, value in kept.to_json().get("established", {}).items())
        giver = f"{kept.giver} {kept.rank or ''}".strip() if kept.giver else "-"
        scope = "everything" if kept.scope == SECONDARY else ", ".join(sorted(kept.scope)) or "-"
        answer = f"{kept.said or '-'}{', annulled' if one.annulled else ''}"
        cells = [str(one.number), answer, giver, scope, told or "-", kept.by, "patient" if one.of_patient else "case"]
        if with_proofs:
            proof = proofs.get(one.key)
            parts = (proof.name, str(proof.on or ""), proof.document, proof.why) if proof else ()
            cells.append("; ".join(filter(None, parts)) or "none in the vault")
        table.add_row(*cells)
    return table


def said_of(value: object) -> str:
    """Say what a fact is."""
    if value in (None, "", [], False, "unknown", "unassessed"):
        return "not recorded"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
