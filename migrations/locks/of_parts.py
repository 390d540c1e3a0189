"""What the smaller changes of a table lock: those that PostgreSQL's grammar knows by a word of their own."""

from collections.abc import Iterator

from migrations.locks.lock import Lock, Through, Touch, Work
from migrations.sql import actions as a
from migrations.sql.names import Name

AE, SRE, SUE = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.SHARE_UPDATE_EXCLUSIVE

BRIEF_OPTIONS = frozenset({"fillfactor", "parallel_workers", "toast_tuple_target", "deduplicate_items"})
"""Storage parameters under a lock that lets rows be read and written; so do those of vacuum, which name it."""

TRIGGERS = (
    *("create trigger", "create or replace trigger", "enable trigger", "enable always trigger"),
    *("enable replica trigger", "disable trigger", "enable trigger all", "disable trigger all"),
    *("enable trigger user", "disable trigger user"),
)
MINOR = ("set statistics", "set options", "reset options", "cluster on", "drop cluster")
OPTIONS = ("set rel options", "reset rel options", "replace rel options")
REWRITING = ("set logged", "set unlogged", "set access method", "set tablespace", "set expression")
HARSH = (
    *("drop trigger", "create policy", "alter policy", "drop policy", "create rule", "drop rule", "enable rule"),
    *("enable always rule", "enable replica rule", "disable rule", "enable row security", "disable row security"),
    *("force row security", "no force row security", "change owner", "replica identity", "set storage"),
    *("set compression", "add identity", "set identity", "drop identity", "drop expression", "alter constraint"),
    *("add inherit", "drop inherit", "add of", "drop of", "generic options", "alter column generic options"),
    *("drop oids", "detach partition finalize", "enforce constraint", "stop enforcing constraint"),
)
PARTNERS = {"enforce constraint": SRE, "stop enforcing constraint": AE}
"""What is done to a foreign key whose partner is locked, too."""
DOWNWARD = frozenset(
    {*TRIGGERS, "drop trigger", "set statistics", "set storage", "set compression", "set expression"}
    | {"drop expression", "alter constraint", "enforce constraint", "stop enforcing constraint"}
)
"""What is done to partitions and heirs, too."""


def alter_table(action: a.AlterTable) -> Iterator[Touch]:
    """ALTER TABLE's smaller parts; triggers, policies and rules that are made, changed and dropped."""
    lock, work = of_part(action.what, action.options)
    yield Touch(action.table, lock, work)
    if action.what in DOWNWARD and not action.only:
        yield Touch(action.table, lock, work, Through("descendants"))
    if action.what in PARTNERS:
        yield Touch(action.table, PARTNERS[action.what], work, Through("referenced", constraint=action.name or ""))
    for other in action.tables:
        yield from _other(action, other)


def _other(action: a.AlterTable, other: Name) -> Iterator[Touch]:
    """The second table of INHERIT and its like; those that a policy or rule reads."""
    match action.what:
        case "add inherit":
            yield Touch(other, SUE)
        case "detach partition finalize":
            yield Touch(other, AE)
        case _:
            yield Touch(other, Lock.ACCESS_SHARE)


def alter_relation(action: a.AlterRelation) -> Iterator[Touch]:
    """ALTER INDEX, VIEW, MATERIALIZED VIEW, SEQUENCE; of a composite type only the type is locked."""
    if action.kind == "type":
        return
    lock, work = of_part(action.what, action.options)
    if action.what == "set values":
        lock = SRE
    elif action.what == "attach partition":
        lock = SUE
    yield Touch(action.name, lock, work)
    for other in action.tables:
        yield Touch(other, AE if action.what == "attach partition" else Lock.ACCESS_SHARE)


def of_part(what: str, options: tuple[str, ...]) -> tuple[Lock, Work]:
    """The lock of one part, and its work. What is not known here is taken for the worst, as the server does."""
    if what in TRIGGERS:
        return SRE, "brief"
    if what in MINOR or (what in OPTIONS and all(_is_brief(option) for option in options)):
        return SUE, "brief"
    return AE, "rewrite" if what in REWRITING else "scan" if what == "enforce constraint" else "brief"


def _is_brief(option: str) -> bool:
    return option in BRIEF_OPTIONS or "vacuum" in option
