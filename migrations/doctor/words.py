"""What is said of each state."""

from collections.abc import Iterable, Sequence
from shlex import quote

from migrations.doctor.facts import Earlier
from migrations.doctor.state import State, Way
from migrations.doctor.traces import Traces
from migrations.folder import LOCK_FILE, PROVIDER, SCRIPT, Migration, same_checksum
from migrations.ledger import NAME
from migrations.ledger.lock import Holder
from migrations.listed import listed, many
from migrations.plan import Applied

BEFORE = "What is in the catalog may have been there before: then it is not this script's to undo."


def other_provider(provider: str) -> State:
    """The folder is for another database product."""
    return State(
        name="other-provider",
        code="P3019",
        severity="stop",
        what=f"{LOCK_FILE} says that these migrations are for {provider or 'no database'}, not {PROVIDER}.",
        cause="The folder was made for another database, or the file was edited. Nothing of the folder is judged here.",
        ways=(Way((f"Point project.migrations at a folder of PostgreSQL migrations, or restore {LOCK_FILE}.",)),),
    )


def prisma_8() -> State:
    """Prisma 8 is at work here, which is another system."""
    return State(
        name="prisma-8",
        severity="stop",
        what="Prisma 8 keeps its own record here: there is a table prisma_contract.marker.",
        cause=f"Prisma 8 does not use {NAME}. What it has applied is not in this ledger.",
        ways=(Way(("Find out which of the two migrates this database, and let only that one do it.",)),),
    )


def lock_held(holders: Sequence[Holder]) -> State:
    """Somebody migrates, or a connection that nobody uses any more holds the lock."""
    holder = next(h for h in holders if h.granted)
    waiting = tuple(f"also waited for by {h.words}" for h in holders if not h.granted)
    prisma = "Prisma runs its scripts on the connection that holds the lock: its program may be gone."
    hint = (holder.idle, *(() if holder.ours else (prisma,))) if holder.idle else ()
    end = holder.end_sql or "An administrator must look: this role may not see who it is."
    return State(
        name="lock-held",
        code="P1002",
        severity="warn",
        what=f"The migration lock is held by {holder.words}.",
        cause="A migration runs, or its program is gone and the server has not noticed. Prisma gives up after 10 s.",
        ways=(
            Way(("Talk to them, and wait until they are done.",), when="If it is at work"),
            Way(("See that nobody runs it any more.", f"End its connection: {end}"), when="If its program is gone"),
        ),
        details=(*hint, *waiting),
    )


def no_baseline(tables: int, environment: str) -> State:
    """There are tables, and no ledger."""
    return State(
        name="no-baseline",
        code="P3005",
        severity="stop",
        what=f"The database has no {NAME}, and {many(tables, 'table')} already.",
        cause="It was made by other means than migrations, was restored without its ledger, or is the wrong one.",
        ways=(
            Way(("Check the address and the schema in it (?schema=…).",), when="If this is not the database you meant"),
            Way(
                (
                    "See which migrations made what is there.",
                    f"Mark these as applied: gonogo resolve {quote(environment)} --baseline LAST_OF_THEM",
                ),
                when="If it is",
            ),
        ),
    )


def elsewhere(ledgers: tuple[str, ...], schema: str, *, read_one: bool, named: bool) -> State:
    """There is a ledger, or another one, where it is not looked for. `named`: the address says which is meant."""
    return State(
        name="ledger-elsewhere",
        severity="note" if named else "warn" if read_one else "stop",
        what=f"There is {'another' if read_one else 'a'} ledger in another schema: {listed(ledgers)}.",
        cause=f"Unqualified names lead to {schema} here. Somebody applies, or applied, with another search path.",
        ways=(
            Way(("Name the schema in the address (?schema=…), as Prisma's is.",), when="If that is the right ledger"),
            Way(("Rename or drop the other one once you know who made it.",), when="If it is not"),
        ),
    )


def failed(
    rows: Sequence[Applied],
    *,
    session: str,
    applied_too: bool,
    on_disk: Migration | None,
    gone: bool,
    traces: Traces | None,
    hidden: bool,
    locked: bool,
    environment: str,
) -> State:
    """A migration that was begun and did not end. `applied_too`: another row says that it was applied."""
    name, logs = rows[-1].name, [row.logs for row in rows if row.logs]
    error = f": {said}" if logs and (said := _error(logs[-1])) else ""
    what = f"{name} failed{error}" if logs else f"{name} was begun, and did not end"
    started = ", ".join(row.started_at for row in rows)
    ended = "A statement was refused (P3018 to whoever ran it)." if logs else _unfinished(locked)
    return State(
        name="failed" if logs else "cut-short",
        code="P3009",
        severity="stop",
        what=f"{what} (started {started}).",
        cause=f"{ended} Nothing else is applied until it is resolved.",
        ways=(
            *((_go_on(session),) if session else ()),
            *_ways_from(name, traces, environment, gone=gone, applied_too=applied_too, refused=refused(rows)),
        ),
        migrations=(name,),
        details=(
            *((f"What it left: {traces.words}.",) if traces else ()),
            *((*traces.lines(), BEFORE) if traces and traces.verdict == "some" else ()),
            *(("Its folder is gone.",) if gone else ()),
            *(("Its script was changed since.",) if on_disk is not None and _edited(on_disk, rows) else ()),
            *(("Another row says that it was applied.",) if applied_too else ()),
            *(("`prisma migrate status` does not show it while others are pending.",) if hidden else ()),
        ),
    )


def _go_on(session: str) -> Way:
    steps = (f"Take it up again, it knows what it has sent: gonogo resume {session}",)
    return Way(steps, when="A session of this machine left it, and has not ended")


def _unfinished(locked: bool) -> str:
    if locked:
        return "It may run right now: the migration lock is held."
    return "Whatever ran it was ended, or lost its connection, and wrote no reason."


def _edited(migration: Migration, rows: Sequence[Applied]) -> bool:
    return migration.data is not None and not any(same_checksum(row.checksum, migration.text) for row in rows)


def refused(rows: Iterable[Applied]) -> bool:
    """Whether the server said no each time, and nobody has to wonder whether the last statement went through."""
    return all(_error(row.logs or "") for row in rows)


def _error(logs: str) -> str:
    """The server's words out of what Prisma or gonogo wrote."""
    lines = (line.strip() for line in logs.splitlines())
    return next((line for line in lines if line.startswith("ERROR")), "").rstrip(".")


def _ways_from(
    name: str, traces: Traces | None, environment: str, *, gone: bool, applied_too: bool, refused: bool
) -> tuple[Way, ...]:
    resolve, name = f"gonogo resolve {quote(environment)}", quote(name)
    back = f"Mark it as rolled back: {resolve} --rolled-back {name}"
    if applied_too or gone:
        return (Way(("Undo what it left, if anything.", back)),)
    again = f"{back} (it is pending then, and runs again)"
    applied = f"Mark it as applied: {resolve} --applied {name}"
    unseen = bool(traces and traces.unseen(refused=refused))
    match traces.verdict if traces else "unknown":
        case "nothing" if not unseen:
            return (Way((again,)),)
        case "all":
            return (Way(("See that what the catalog does not show is done, too.", applied)),)
        case "some":
            beside = ", and what the catalog does not show" if unseen else ""
            undo, rest = f"Undo by hand what is there{beside}.", f"Do by hand what is not there{beside}."
        case _:
            undo, rest = "Find out what took effect, and undo that.", "Find out what took effect, and do the rest."
    return (Way((undo, again), when="To run it again"), Way((rest, applied), when="To keep what is there"))


def without_script(names: tuple[str, ...], *, pending: bool) -> State:
    """Folders without a script."""
    way = "Add the file, or remove the folder." if pending else f"Restore {SCRIPT} from git."
    return State(
        name="without-script",
        code="P3015" if pending else "",
        severity="stop" if pending else "warn",
        what=f"No {SCRIPT} in {listed(names)}{'' if pending else ', which is applied'}.",
        cause="A folder was made or kept without its file; git keeps no empty folders, so this is often a leftover.",
        ways=(Way((way,)),),
        migrations=names,
    )


def changed_by_others(found: Sequence[tuple[Earlier, str]], environment: str) -> State:
    """Rows that were applied when a session of this machine last read the ledger, and are not any more."""
    names = tuple(earlier.name for earlier, _ in found)
    return State(
        name="changed-by-others",
        severity="warn",
        what=f"Somebody changed the ledger since the last session read it: {listed(names)}.",
        cause="Prisma never changes a row that is finished. A person did, or the database was restored.",
        ways=(
            Way(
                (
                    "Find out who it was, and why.",
                    f"Write the reason down: gonogo resolve {quote(environment)} --accept --reason WHY",
                )
            ),
        ),
        migrations=names,
        details=tuple(f"{e.name}, finished {e.finished_at}: its row is {now}" for e, now in found),
    )


def edited(names: tuple[str, ...]) -> State:
    """Files that are not what was applied."""
    return State(
        name="edited",
        severity="warn",
        what=f"Edited after it was applied: {listed(names)}.",
        cause="The file's SHA-256 is not the one in the ledger; line ends do not count. Prisma does not look at this.",
        ways=(Way(("Restore the file from git.", "Put the change into a new migration.")),),
        migrations=names,
    )


def ahead(names: tuple[str, ...]) -> State:
    """The database knows more than the folder."""
    return State(
        name="ahead",
        severity="warn",
        what=f"Applied, and newer than anything in the folder: {listed(names)}.",
        cause="The folder is older than the database, or another branch was applied.",
        ways=(Way(("Check out the commit that has them.",)),),
        migrations=names,
    )


def removed(names: tuple[str, ...], environment: str, *, squashed: bool) -> State:
    """Folders that were there once."""
    restore = Way(("Restore the folder from git.",), when="If it was removed by mistake" if squashed else "")
    mark = Way(
        (
            "See that its changes are in the new one.",
            f"Mark that as applied: gonogo resolve {quote(environment)} --applied N",
        ),
        when="If another migration took its place",
    )
    return State(
        name="removed",
        severity="warn",
        what=f"Applied, and its folder is gone: {listed(names)}.",
        cause="The folder was removed, renamed, or squashed into another one.",
        ways=(restore, mark) if squashed else (restore,),
        migrations=names,
    )


def squashed(names: tuple[str, ...], into: str) -> State:
    """Another one took their place."""
    return State(
        name="removed",
        severity="note",
        what=f"Applied before {into} was noted as applied, and their folders are gone: {listed(names)}.",
        cause=f"They were squashed into {into}.",
        ways=(Way(("Nothing is to be done: Prisma takes this for up to date.",)),),
        migrations=names,
    )


def duplicates(names: tuple[str, ...], environment: str) -> State:
    """More than one row says that it was applied."""
    return State(
        name="duplicate",
        severity="warn",
        what=f"Applied twice, by the ledger: {listed(names)}.",
        cause="Two runners were at work at once (the lock can be switched off), or rows were copied.",
        ways=(
            Way(
                (
                    "See that nothing in the database was done twice.",
                    "Keep one row of it: "
                    + ", ".join(f"gonogo resolve {quote(environment)} --one-row {quote(name)}" for name in names[:3]),
                )
            ),
        ),
        migrations=names,
    )


def rolled_back(names: tuple[str, ...]) -> State:
    """They run again."""
    return State(
        name="rolled-back",
        severity="note",
        what=f"Marked as rolled back, and pending again: {listed(names)}.",
        cause="The next deploy runs them; `prisma migrate status` says so only from 7.9 on.",
        ways=(Way(("Let them run, or remove their folders.",)),),
        migrations=names,
    )


def out_of_order(names: tuple[str, ...]) -> State:
    """They come before what is applied."""
    return State(
        name="out-of-order",
        severity="note",
        what=f"Pending, and before what is applied already: {listed(names)}.",
        cause="They came in by a branch that was begun earlier. Prisma applies them all the same.",
        ways=(Way(("See that they do not count on what came after them.",)),),
        migrations=names,
    )
