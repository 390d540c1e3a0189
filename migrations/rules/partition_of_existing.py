"""CREATE TABLE … PARTITION OF: nobody reads or writes the parent, though the new table is empty."""

from collections.abc import Iterator, Sequence
from itertools import islice

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.words import Word, find, words_of

_LIKE = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED"


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Only of a parent that was there before."""
    for action in statement.actions:
        match action:
            case a.CreateTable(table=table, partition_of=Name() as parent) if not seen.is_new(parent):
                yield Found(
                    f"nobody can read or write {parent} from here to the end of the transaction, and it waits for all "
                    "who do so now; a default partition is read from end to end meanwhile",
                    (parent,),
                    subject=str(table),
                    instead=f"Create {table} as a table of its own, like {parent}; then ATTACH it, which lets others "
                    f"read and write {parent}.",
                    safer_sql=_safer(statement.text, table, parent),
                )


def _safer(text: str, table: Name, parent: Name) -> str:
    """CREATE TABLE … (LIKE …), and ATTACH. Empty where the partition has columns or constraints of its own."""
    words = words_of(text)
    of, bound = find(words, "PARTITION", "OF"), max(find(words, "FOR", "VALUES"), find(words, "DEFAULT"))
    if of < 0 or bound < 0 or any(word.text == "(" for word in words[:bound]):
        return ""
    after = _behind_bound(words, bound)
    tail = text[words[after].start : words[-1].end] if after < len(words) else ""
    return in_one(
        f"{text[: words[of].start].rstrip()} (LIKE {parent.sql} {_LIKE}) {tail}".rstrip(),
        f"ALTER TABLE {parent.sql} ATTACH PARTITION {table.sql} {text[words[bound].start : words[after - 1].end]}",
    )


def _behind_bound(words: Sequence[Word], start: int) -> int:
    """Behind DEFAULT, or behind the one or two lists of FOR VALUES."""
    if words[start].text == "DEFAULT":
        return start + 1
    lists = 2 if find(words, "FROM") > start else 1
    closing = (at for at, word in enumerate(words) if at > start and word.depth == 0 and word.text == ")")
    return next(islice(closing, lists - 1, None)) + 1


RULE = Rule(
    code="partition-of-existing",
    title="Creates a partition while everybody waits",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int) PARTITION BY RANGE (c)",
    risky="CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (10)",
    safer="CREATE TABLE p (LIKE t INCLUDING DEFAULTS INCLUDING CONSTRAINTS); "
    "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (0) TO (10)",
    source="https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE",
    about=(a.CreateTable,),
    check=check,
)
