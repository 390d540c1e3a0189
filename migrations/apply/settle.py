"""What became of scripts whose run was cut short: asked of the server, and never guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from migrations import ledger
from migrations.apply.concurrent import still_attached, took_effect
from migrations.apply.orphans import let_go
from migrations.ledger import Row
from migrations.target import Fingerprint, Pinned, session_name
from migrations.target.connecting import refused
from migrations.target.fingerprint import NOT_READABLE

Connection = psycopg.AsyncConnection[Any]
Record = Mapping[str, Any]

TOOK_OVER = "another server has taken over since, which may lack what was committed last"

State = Literal["applied", "nothing", "partly", "unknown", "changed", "set aside"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one attempt at a script.

    `nothing` of it is committed; `partly`: statements before `through` are (all of them, if only the ledger's last
    word is missing); `unknown`: so are those before `doubt`, if the last one sent took effect, which a person must
    find out; `changed`: somebody else changed the ledger; `set aside`: its row was marked as rolled back.
    `open_row`: its row stands as failed.
    """

    name: str
    row: str
    checksum: str
    state: State
    through: int
    statements: int
    open_row: bool
    words: str
    doubt: int = 0


async def settle(target: Pinned, session: str, records: Sequence[Record]) -> tuple[Fate, ...]:
    """What became of every script that the session's records name, in their order.

    First waits for, or ends, whatever backend an earlier attempt left. Raises Problem if one cannot be ended.
    """
    backends = [(int(pid), str(start)) for r in _of(records, "Connected") for pid, start in r["backends"]]
    conn = await target.open("ledger", application_name=session_name(session, "settle"))
    try:
        await let_go(conn, session_name(session, "script"), backends)
        rows = {row.id: row for row in await ledger.rows(conn, target.url.schema) or ()}
        starts = {str(r["row"]): r for r in _of(records, "ScriptStarted")}
        fates = []
        for id, start in starts.items():
            moved = _moved(records, id, target.pin)
            fates.append(await _fate(conn, start, rows.get(id), _about(records, id), moved=moved))
        return tuple(fates)
    except psycopg.OperationalError as error:
        raise refused(target.url, error) from None
    finally:
        await conn.close()


async def settle_alone(target: Pinned, session: str, records: Sequence[Record]) -> Fate | None:
    """What became of the latest script that had no row of its own, and was to run in one transaction; None if none had.

    Waits for, or ends, what an earlier attempt left. Raises Problem if that cannot be ended.
    """
    starts = _of(records, "ScriptStarted")
    if not starts:
        return None
    start, about = starts[-1], _about(records, str(starts[-1]["row"]))
    backends = [(int(pid), str(began)) for r in _of(records, "Connected") for pid, began in r["backends"]]
    conn = await target.open("ledger", application_name=session_name(session, "settle"))
    try:
        await let_go(conn, session_name(session, "script"), backends)
        state, words = await _alone(conn, about, moved=_moved(records, str(start["row"]), target.pin))
    except psycopg.OperationalError as error:
        raise refused(target.url, error) from None
    finally:
        await conn.close()
    count = int(start["statements"])
    through = count if state == "applied" else 0
    return Fate(str(start["name"]), str(start["row"]), str(start["checksum"]), state, through, count, False, words)


async def _alone(conn: Connection, records: Sequence[Record], *, moved: bool) -> tuple[State, str]:
    sent, done = _of(records, "Committing"), _of(records, "Through", "ScriptEnded")
    if moved and (sent or done):
        return "unknown", TOOK_OVER
    if done:
        return "applied", "it was committed"
    if (doubt := _in_doubt(records)) is None:
        return "nothing", "nothing of it was committed"
    after, words = await _ask_transaction(conn, {**doubt, "finishing": False}, 0)
    if after is None:
        return "unknown", words
    return ("applied", "the server says that it was committed") if after else ("nothing", "the server rolled it back")


def _of(records: Sequence[Record], *events: str) -> list[Record]:
    return [record for record in records if record.get("event") in events]


def _about(records: Sequence[Record], row: str) -> list[Record]:
    return [record for record in records if record.get("row") == row]


def _moved(records: Sequence[Record], row: str, now: Fingerprint | None) -> bool:
    """Whether a standby took over after the last word about a script: it may lack what was committed last.

    A person's word bears the timeline of the server that they looked at.
    """
    timeline = last = ""
    for record in records:
        if record.get("event") == "Connected":
            timeline = str(record.get("timeline", ""))
        elif record.get("row") == row:
            last = str(record.get("timeline", timeline))
    return now is not None and bool(last) and NOT_READABLE not in (last, now.timeline) and last != now.timeline


async def _fate(
    conn: Connection, start: Record, row: Row | None, records: Sequence[Record], *, moved: bool = False
) -> Fate:
    def fate(state: State, words: str, through: int = 0, doubt: int = 0) -> Fate:
        open_row = row is not None and row.applied.failed
        count = int(start["statements"])
        if state == "partly" and through == 0 and count:
            state = "nothing"
        name, id, checksum = str(start["name"]), str(start["row"]), str(start["checksum"])
        return Fate(name, id, checksum, state, through, count, open_row, words, doubt)

    ended = bool(_of(records, "ScriptEnded"))
    if row is not None and row.applied.finished_at:
        return fate("applied", "applied", int(start["statements"]))
    if row is not None and row.applied.rolled_back:
        return fate("set aside", "marked as rolled back")
    lacks = f"; {TOOK_OVER}" if moved else ""
    if ended:
        return fate("changed", f"it was applied, and the ledger no longer says so{lacks}")
    if row is None:
        if _of(records, "Sending", "Committing", "Through"):
            return fate("changed", f"its row is gone from the ledger{lacks}")
        return fate("nothing", "it had not begun")
    through = int(_of(records, "ScriptStarted", "Through", "ScriptBroken")[-1]["through"])
    doubt = _in_doubt(records)
    if moved and (most := max(through, _reach(doubt))):
        return fate("unknown", TOOK_OVER, 0, most)
    if doubt is None:
        return fate("partly", _kept(through), through)
    after, words = await _ask(conn, doubt, through)
    if after is None:
        return fate("unknown", words, through, _reach(doubt))
    return fate("partly", words or _kept(after), after)


def _in_doubt(records: Sequence[Record]) -> Record | None:
    """The last thing that was sent and would commit, if no record says what became of it."""
    for record in reversed(records):
        if record["event"] in ("Sending", "Committing"):
            return record
        if record["event"] in ("Through", "ScriptStarted") or (record["event"] == "ScriptBroken" and record["known"]):
            return None
    return None


def _reach(doubt: Record | None) -> int:
    """How many statements are committed if what was sent took effect; none, if the ledger's row would say so."""
    if doubt is None or doubt.get("finishing"):
        return 0
    return int(doubt.get("through", int(doubt.get("statement", 0)) + 1))


async def _ask(conn: Connection, doubt: Record, through: int) -> tuple[int | None, str]:
    """How far the script got, or None; and words."""
    if doubt["event"] == "Committing":
        return await _ask_transaction(conn, doubt, through)
    at, index, there = int(doubt["statement"]), str(doubt["index"]), bool(doubt["there"])
    if doubt["repeatable"]:
        return at, ""
    if index:
        done = await took_effect(conn, index, there=there)
        state = "is there" if there else "is gone"
        return at + done, f"the index {index} {state if done else f'{state} not as it should be'}"
    if partition := str(doubt.get("partition") or ""):
        attached = await still_attached(conn, partition)
        return at + (not attached), f"{partition} is {'still attached' if attached else 'detached'}"
    sent = f"statement {at + 1} was" if at <= through else f"all from statement {through + 1} on was"
    return None, f"{sent} sent, and no reply to it was seen"


async def _ask_transaction(conn: Connection, doubt: Record, through: int) -> tuple[int | None, str]:
    if doubt["finishing"]:
        # The ledger's row was in the same transaction, and it is not finished.
        return through, ""
    try:
        cur = await conn.execute("SELECT pg_catalog.pg_xact_status(%s::text::xid8)", (doubt["xid"],))
        row = await cur.fetchone()
    except psycopg.errors.InvalidParameterValue:
        row = None  # A transaction of the future: this server has never seen it.
    status = row[0] if row else None
    if status == "committed":
        return int(doubt["through"]), ""
    if status == "aborted":
        return through, ""
    return None, f"the server no longer knows what became of transaction {doubt['xid']}"


def _kept(through: int) -> str:
    return f"statements 1 to {through} are committed" if through else "nothing of it is committed"
