"""What runs CONCURRENTLY and was cut short leaves something behind: cleared away, before it is tried again."""

from collections.abc import Collection
from typing import Any

import psycopg

from migrations.apply import events as e
from migrations.apply.concurrent import Proof, half_detached, index_is_valid
from migrations.apply.sending import Watcher, Wire
from migrations.apply.statement_run import Refusal
from migrations.sql import Statement
from migrations.sql import actions as a

Connection = psycopg.AsyncConnection[Any]

# Whoever builds one now is at work, and has not left it.
_TRANSIENT = """
WITH named AS (
    SELECT coalesce(i.indrelid, r.oid) AS oid FROM (SELECT pg_catalog.to_regclass(%s)::oid) AS r(oid)
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
), tables AS (
    SELECT oid FROM named UNION SELECT t.relid FROM named, pg_catalog.pg_partition_tree(named.oid) t
), held AS (
    SELECT oid FROM tables UNION SELECT c.reltoastrelid FROM pg_catalog.pg_class c JOIN tables USING (oid)
)
SELECT x.indexrelid, pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_index x JOIN held ON held.oid = x.indrelid JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT x.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid)
ORDER BY c.relname
"""


class Leftovers:
    """Of one script. `begun` are the indexes and partitions (qualified, quoted) that this session was at work on."""

    def __init__(
        self, script: str, wire: Wire, watcher: Watcher, book: Connection, begun: Collection[str], on: e.OnEvent
    ) -> None:
        self._script, self._wire, self._watcher, self._book, self._on = script, wire, watcher, book, on
        self._begun = set(begun)
        self._older: dict[int, Collection[int]] = {}  # By where a statement starts: what it found at its first try.

    async def clear(self, statement: Statement, proof: Proof) -> str:
        """Clear the way for a statement. Returns what to send in its place, or nothing: send it as it stands.

        Raises Refusal where somebody else left what is in the way.
        """
        text = ""
        if proof.index and proof.there:
            await self._drop_invalid(proof.index)
        elif proof.partition:
            text = await self._finalize(proof.partition)
        elif (table := _rebuilt(statement)) is not None:
            await self._drop_transient(table, statement.start)
        self._begun |= {name for name in (proof.index, proof.partition) if name}
        return text

    def why_not_again(self, statement: Statement, proof: Proof) -> str:
        """Why there is no other try after this statement was cut short; empty if it can be cleared away after it."""
        if (proof.index or proof.partition) or _rebuilt(statement) is not None:
            return ""
        return "it is not tried again: outside a transaction, only what gonogo can clear away after is"

    async def _drop_invalid(self, index: str) -> None:
        """An INVALID index of that name makes the build fail, or, with IF NOT EXISTS, do nothing and say nothing."""
        if await index_is_valid(self._book, index) is not False:
            return
        if index not in self._begun:
            raise Refusal(
                f"there is an INVALID index {index} already, which an earlier build left; "
                f"drop it (DROP INDEX CONCURRENTLY {index}), then start the step again"
            )
        await self._drop(index)

    async def _drop_transient(self, table: str, start: int) -> None:
        """What was there before the first try of the statement is not ours."""
        rows = await (await self._wire.script.execute(_TRANSIENT.encode(), (table,))).fetchall()
        found = {int(oid): str(name) for oid, name in rows}
        older = self._older.setdefault(start, found)
        for oid, name in found.items():
            if oid not in older:
                await self._drop(name)

    async def _drop(self, index: str) -> None:
        await self._wire.send(f"DROP INDEX CONCURRENTLY {index}", watcher=self._watcher)
        await self._say(f"dropped the INVALID index {index} that the earlier attempt left")

    async def _finalize(self, partition: str) -> str:
        """A DETACH that was cut short in its middle is completed, not begun anew."""
        table = await half_detached(self._book, partition)
        if not table:
            return ""
        finalize = f"ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE"
        if partition not in self._begun:
            raise Refusal(
                f"{partition} is half detached already, by somebody who was cut short; "
                f"complete it ({finalize}), then start the step again"
            )
        await self._say(f"{partition} is half detached by the earlier attempt: it is completed (FINALIZE)")
        return finalize

    async def _say(self, text: str) -> None:
        await self._on(e.Notice(self._script, "NOTE", text))


def _rebuilt(statement: Statement) -> str | None:
    """The index or table that is reindexed concurrently."""
    for action in statement.actions:
        if isinstance(action, a.Reindex) and action.concurrently and action.kind in ("index", "table") and action.name:
            return action.name.regclass
    return None
