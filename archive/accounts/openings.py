"""That somebody looks at a slide is told once, and again after an hour, but not with every tile."""

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from archive.accounts.schema import openings
from archive.accounts.values import Actor


def is_told(connection: Connection, actor: Actor, slide: str, now_seconds: float, within_seconds: float) -> bool:
    """Tell whether the trail knows already that this actor looks at this slide."""
    told = connection.scalar(select(openings.c.told).where(_row(actor, slide)))
    return told is not None and 0 <= now_seconds - told < within_seconds


def remember(connection: Connection, actor: Actor, slide: str, now_seconds: float, within_seconds: float) -> None:
    """Remember that the trail was told, and forget what is too long ago to matter."""
    connection.execute(delete(openings).where(openings.c.told <= now_seconds - within_seconds))
    if not connection.execute(update(openings).where(_row(actor, slide)).values(told=now_seconds)).rowcount:
        connection.execute(
            insert(openings).values(
                account=actor.account,
                role=str(actor.role),
                project=actor.project or "",
                slide=slide,
                told=now_seconds,
            )
        )


def _row(actor: Actor, slide: str) -> ColumnElement[bool]:
    return and_(
        openings.c.account == actor.account,
        openings.c.role == str(actor.role),
        openings.c.project == (actor.project or ""),
        openings.c.slide == slide,
    )
