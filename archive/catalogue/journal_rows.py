"""Which rows an act changed: whatever its statements were, the rows they touched are read again at its end.

So a line of the journal tells what became of each row, not how, and can be said twice without harm.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Engine, Insert, Table, TextClause, Update, event, select

from archive.catalogue.journal import Content
from archive.catalogue.schema import archive, metadata
from archive.errors import InvalidValue

TOUCHED = "coverslip_touched"
"""Execution option of a connection whose changes are noted: the `Touched` that notes them."""

AT_ONCE = 300
"""Rows asked for in one statement, or put by one line of a snapshot. SQLite takes 999 values in old versions."""

Key = tuple[Any, ...]


class Touched:
    """The keys of all rows that a transaction inserted, updated or deleted."""

    def __init__(self) -> None:
        self._keys: dict[Table, dict[Key, bool]] = defaultdict(dict)

    def note(self, table: Table, keys: Sequence[Key], *, must_stay: bool) -> None:
        """Note rows of a table; ``must_stay`` says that they were updated and so are still there."""
        if not is_told(table):
            return
        for key in keys:
            if None in key or len(key) != len(table.primary_key):
                raise InvalidValue("a row that is put into the catalogue has its whole key; give it in the statement")
            self._keys[table][key] = must_stay

    def content(self, connection: Connection) -> Content:
        """Read the rows again: those that are there were put, the others dropped."""
        put: dict[str, list[Content]] = {}
        drop: dict[str, list[Key]] = {}
        for table, keys in self._keys.items():
            rows = dict(_rows(connection, table, list(keys)))
            gone = [key for key in keys if key not in rows]
            if any(keys[key] for key in gone):
                raise InvalidValue("the key of a row is never changed; remove the row and put another in")
            if rows:
                put[table.name] = list(rows.values())
            if gone:
                drop[table.name] = gone
        return {"put": put, "drop": drop}


def watch(engine: Engine) -> None:
    """Have every connection of an engine note what it changes, where it has a `Touched`."""

    @event.listens_for(engine, "before_execute")
    def before(connection: Connection, statement: Any, several: Any, one: Any, options: Any) -> None:
        touched: Touched | None = connection.get_execution_options().get(TOUCHED)
        if touched is None:
            return
        if isinstance(statement, TextClause | str) and not str(statement).lstrip().upper().startswith("SELECT"):
            raise InvalidValue("the catalogue is changed by statements on its tables, never by text")
        if isinstance(statement, Update | Delete):
            table = _table(statement.table)
            if not is_told(table):
                return
            wanted = select(*table.primary_key).select_from(table)
            if statement.whereclause is not None:
                wanted = wanted.where(statement.whereclause)
            for values in several or [one or {}]:
                keys = [tuple(row) for row in connection.execute(wanted, values)]
                touched.note(table, keys, must_stay=isinstance(statement, Update))

    @event.listens_for(engine, "after_execute")
    def after(connection: Connection, statement: Any, several: Any, one: Any, options: Any, result: Any) -> None:
        touched: Touched | None = connection.get_execution_options().get(TOUCHED)
        if touched is not None and isinstance(statement, Insert) and is_told(table := _table(statement.table)):
            touched.note(table, _inserted(statement, result), must_stay=False)


def snapshot(connection: Connection) -> Iterator[Content]:
    """Give all rows of a catalogue, some at a time, each table after those it refers to."""
    for table in metadata.sorted_tables:
        if not is_told(table):
            continue
        query = select(table).order_by(*table.primary_key).execution_options(yield_per=AT_ONCE)
        for rows in connection.execute(query).mappings().partitions():
            yield {"put": {table.name: [dict(row) for row in rows]}, "drop": {}}


def is_told(table: Table) -> bool:
    """Tell whether a table's rows are in the journal.

    Those of ``archive`` are not, since every line tells the count of acts by its number; nor are those of a table that
    is made from the others, which says ``derived`` in its ``info``.
    """
    return table is not archive and not table.info.get("derived")


def key_of(table: Table, row: Mapping[str, Any]) -> Key:
    """Give the key of a row."""
    return tuple(row[column.name] for column in table.primary_key)


def _inserted(statement: Insert, result: Any) -> list[Key]:
    if statement.select is not None:
        raise InvalidValue("rows are put into the catalogue by their values, not by a query")
    names = [column.key for column in _table(statement.table).primary_key]
    return [tuple(values.get(name) for name in names) for values in result.context.compiled_parameters]


def _rows(connection: Connection, table: Table, keys: list[Key]) -> Iterator[tuple[Key, Content]]:
    *leading, last = table.primary_key
    below: dict[Key, list[Any]] = defaultdict(list)
    for key in keys:
        below[key[:-1]].append(key[-1])
    for values, lasts in below.items():
        # Each column is compared by itself: asked for whole keys as tuples, SQLite reads all codes of a project.
        of_these = [column == value for column, value in zip(leading, values, strict=True)]
        for start in range(0, len(lasts), AT_ONCE):
            query = select(table).where(*of_these, last.in_(lasts[start : start + AT_ONCE]))
            for row in connection.execute(query).mappings():
                there = {str(name): value for name, value in row.items()}
                yield key_of(table, there), there


def _table(target: Any) -> Table:
    if not isinstance(target, Table):
        raise InvalidValue("the catalogue is changed by statements on one table each")
    return target
