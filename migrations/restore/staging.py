"""Rows of a dump, staged beside the live table, and put back from there in one transaction."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from migrations.listed import many
from migrations.problem import Problem
from migrations.restore.tables import Table

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of the dump that are gone, rows that are not as they were, and rows that came since."""

    gone: int
    changed: int
    new: int


class Stage:
    """A temporary table with the rows that one table had at the dump."""

    def __init__(self, connection: Connection, table: Table, number: int) -> None:
        self.connection, self.table = connection, table
        self.name = f"pg_temp.gonogo_{number}"

    def _names(self, columns: Sequence[str], of: str = "") -> sql.Composed:
        named: list[sql.Composable] = [
            sql.SQL("{}{}").format(sql.SQL(f"{of}." if of else ""), sql.Identifier(one)) for one in columns
        ]
        return sql.SQL(", ").join(named)

    def _sql(self, text: str, **over: sql.Composable) -> sql.Composed:
        table, then = self.table, self.table.then
        keyed = [sql.SQL("l.{0} = s.{0}").format(sql.Identifier(one)) for one in table.key]
        differs = [sql.SQL("l.{0}::text IS DISTINCT FROM s.{0}::text").format(sql.Identifier(one)) for one in self.rest]
        return sql.SQL(text).format(
            live=sql.SQL(table.name),
            stage=sql.SQL(self.name),
            columns=self._names(then),
            of_stage=self._names(then, "s"),
            same=sql.SQL(" AND ").join(keyed),
            differs=sql.SQL("(") + sql.SQL(" OR ").join([*differs, sql.SQL("false")]) + sql.SQL(")"),
            **over,
        )

    @property
    def rest(self) -> tuple[str, ...]:
        """The columns beside the key."""
        return tuple(one for one in self.table.then if one not in self.table.key)

    @property
    def columns(self) -> str:
        """Those that it has, quoted."""
        return self._names(self.table.then).as_string(self.connection)

    def taking(self, columns: str) -> str:
        """The statement that takes its rows, with the columns in this order."""
        return f"COPY {self.name} ({columns}) FROM STDIN"

    async def make(self) -> None:
        """Make it empty. Raises psycopg.Error."""
        name = sql.SQL(self.name.partition(".")[2])
        text = "CREATE TEMP TABLE {short} AS SELECT {columns} FROM {live} WHERE false"
        await self.connection.execute(self._sql(text, short=name))

    async def filled(self, rows: int | None) -> None:
        """Let the planner know it. Raises Problem if it has not as many rows as the dump."""
        await self.connection.execute(self._sql("ANALYZE {stage}"))
        found = await self._count("SELECT count(*) FROM {stage}")
        if rows is not None and found != rows:
            raise Problem(
                f"{self.table.name}: {many(rows, 'row was', 'rows were')} dumped, and {found} came back.",
                advice="Nothing was changed.",
            )

    async def difference(self) -> Difference:
        """How the live table differs from it now."""
        return Difference(
            await self._count("SELECT count(*) FROM {stage} s WHERE NOT EXISTS (SELECT FROM {live} l WHERE {same})"),
            await self._count("SELECT count(*) FROM {stage} s JOIN {live} l ON {same} WHERE {differs}"),
            await self._count("SELECT count(*) FROM {live} l WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same})"),
        )

    async def _count(self, text: str) -> int:
        row = await (await self.connection.execute(self._sql(text))).fetchone()
        assert row is not None
        return int(row[0])

    async def delete(self) -> None:
        """Take away the rows that came since."""
        text = "DELETE FROM {live} l WHERE NOT EXISTS (SELECT FROM {stage} s WHERE {same})"
        await self.connection.execute(self._sql(text))

    async def put(self) -> None:
        """Put back what was changed and what is gone."""
        always = {column.name for column in self.table.columns if column.identity == "a"}
        settable = [one for one in self.rest if one not in always]
        if settable:
            pairs = [sql.SQL("{0} = s.{0}").format(sql.Identifier(one)) for one in settable]
            text = "UPDATE {live} l SET {pairs} FROM {stage} s WHERE {same} AND {differs}"
            await self.connection.execute(self._sql(text, pairs=sql.SQL(", ").join(pairs)))
        text = (
            "INSERT INTO {live} ({columns}) OVERRIDING SYSTEM VALUE SELECT {of_stage} FROM {stage} s "
            "WHERE NOT EXISTS (SELECT FROM {live} l WHERE {same})"
        )
        await self.connection.execute(self._sql(text))

    async def triggers(self, word: str) -> None:
        """ENABLE or DISABLE the ones that fire now: what they did then is in the rows already."""
        for name in self.table.triggers:
            await self.connection.execute(
                self._sql("ALTER TABLE {live} {word} TRIGGER {name}", word=sql.SQL(word), name=sql.Identifier(name))
            )

    async def sequences(self) -> None:
        """Let none hand out a number again that is there now. They never go back."""
        for column in self.table.columns:
            if column.sequence:
                text = (
                    "SELECT setval({name}, m.most) FROM (SELECT max({column}) AS most FROM {live}) m, {sequence} q "
                    "WHERE m.most >= q.last_value"
                )
                name, sequence = sql.Literal(column.sequence), sql.SQL(column.sequence)
                over = {"name": name, "column": sql.Identifier(column.name), "sequence": sequence}
                await self.connection.execute(self._sql(text, **over))


async def put_back(stages: Sequence[Stage], connection: Connection, *, delete_new: bool) -> dict[str, Difference]:
    """Change the tables, in the transaction that the connection is in; the caller commits. By table, what it did.

    Raises Problem if a table is not then as it should be; psycopg.Error, such as for a key that is violated.
    """
    for stage in stages:
        await connection.execute(f"LOCK TABLE {stage.table.name} IN SHARE ROW EXCLUSIVE MODE".encode())
    did = {stage.table.name: await stage.difference() for stage in stages}
    for stage in stages:
        await stage.triggers("DISABLE")
    if delete_new:
        for stage in reversed(stages):
            await stage.delete()
    for stage in stages:
        await stage.put()
        await stage.sequences()
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for stage in stages:
        await stage.triggers("ENABLE")
        left = await stage.difference()
        if left.gone or left.changed or (delete_new and left.new):
            raise Problem(
                f"{stage.table.name} is not as at the dump after it was put back.",
                advice="It was rolled back: nothing was changed. Restore the whole database, or look at its columns.",
            )
    return did


async def rows_beside(connection: Connection, stage: Stage) -> AsyncIterator[bytes]:
    """The rows of the same table in another database, as COPY writes them."""
    async with connection.cursor().copy(f"COPY {stage.table.name} ({stage.columns}) TO STDOUT".encode()) as copy:
        async for data in copy:
            yield bytes(data)


def told(differences: Mapping[str, Difference], *, delete_new: bool) -> str:
    """In words, for a person who is about to say yes."""
    fate = ("goes", "go") if delete_new else ("stays", "stay")
    return "; ".join(
        f"{name}: {many(one.gone, 'row comes', 'rows come')} back, {many(one.changed, 'is', 'are')} as before again, "
        f"{many(one.new, *(f'that came since {word}' for word in fate))}"
        for name, one in differences.items()
    )
