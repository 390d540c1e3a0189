"""Which statements of a script took effect, as far as the catalog shows it. Pure: `borne_out` asks the catalog."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

from migrations.sql import Script, Statement
from migrations.sql import actions as a
from migrations.sql.names import Name

Sort = Literal[
    "relation", "column", "index", "valid index", "constraint", "trigger", "type", "label", "function", "schema",
    "extension",
]  # fmt: skip
Found = Literal["there", "not there", "partly", "not told"]

RELATIONS = ("table", "view", "materialized view", "foreign table", "sequence")
TYPES = ("type", "enum", "domain")
ROWS = (a.Insert, a.Update, a.Delete, a.Merge, a.Truncate, a.Copy, a.Call, a.Unknown)


class Claim(NamedTuple):
    """Something that is in the catalog, or gone from it (`there` False), once a statement has taken effect.

    `part` is the column, constraint, trigger or label of what `name` names.
    """

    sort: Sort
    name: Name
    part: str = ""
    there: bool = True

    @property
    def thing(self) -> tuple[str, str, str, str]:
        """What it is about: the same for two claims that contradict each other."""
        return (self.sort, *self.name.key, self.part)


class Trace(NamedTuple):
    """One statement, and what the catalog shows of it."""

    statement: Statement
    found: Found

    @property
    def words(self) -> str:
        """What was found, for a person."""
        match self.found:
            case "there":
                return "in the catalog"
            case "not told":
                return "the catalog does not show it"
            case "partly" if any(isinstance(action, a.CreateIndex) for action in self.statement.certain):
                return "an INVALID index is there, drop it first"
            case "partly":
                return "there in part"
        return self.found


@dataclass(frozen=True, slots=True)
class Traces:
    """A whole script. Nothing is said of what only changes rows: the catalog does not show it.

    `at_once`: whoever runs it, it takes effect as a whole or not at all.
    """

    all: tuple[Trace, ...]
    at_once: bool = False

    def which(self, *found: Found) -> tuple[Trace, ...]:
        """The statements of which this was found."""
        return tuple(trace for trace in self.all if trace.found in found)

    def unseen(self, *, refused: bool) -> tuple[Trace, ...]:
        """What may have taken effect, and the catalog does not show it. `refused`: the server said no to the script."""
        return () if refused and self.at_once else self.which("not told")

    @property
    def verdict(self) -> Literal["nothing", "all", "some", "unknown"]:
        """`nothing` and `all` of what the catalog can show, `unknown` where it shows none of it."""
        if not (told := [trace.found for trace in self.all if trace.found != "not told"]):
            return "unknown" if self.all else "all"
        return "all" if set(told) == {"there"} else "nothing" if set(told) == {"not there"} else "some"

    def lines(self, most: int = 20) -> tuple[str, ...]:
        """Each statement with what was found of it, for a person who is to undo or to complete it."""
        each = ((trace.statement, trace.words) for trace in self.all)
        lines = [f"{s.index + 1}. line {s.line}, {words}: {s.summary}" for s, words in each]
        return (*lines[:most], *((f"and {len(lines) - most} more",) if len(lines) > most else ()))

    @property
    def words(self) -> str:
        """The verdict for a person."""
        blind = self.which("not told")
        rest = f"; the catalog does not show {named(blind)}" if blind else ""
        match self.verdict:
            case "unknown":
                return "the catalog shows nothing of its statements"
            case "nothing":
                return f"nothing of it is in the catalog{rest}"
            case "all":
                return f"all of it is in the catalog{rest}"
        alike: dict[str, list[Trace]] = {}
        for trace in (*self.which("there"), *self.which("partly"), *self.which("not there")):
            alike.setdefault(trace.words, []).append(trace)
        return "; ".join(f"{named(traces)}: {words}" for words, traces in alike.items()) + rest


def named(traces: Sequence[Trace]) -> str:
    """Their numbers, as a person counts."""
    numbers = [trace.statement.index + 1 for trace in traces]
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"statement{'s' if len(numbers) > 1 else ''} {shown}"


def claims_of(statement: Statement) -> tuple[Claim, ...]:
    """What the catalog must say once the statement has taken effect; nothing where it cannot tell."""
    return tuple(claim for action in statement.certain for claim in _claims(action))


def _claims(action: a.Action) -> Iterator[Claim]:
    match action:
        case a.CreateTable(table=table, temporary=False):
            yield Claim("relation", table)
        case a.AddColumn(table=table, column=column):
            yield Claim("column", table, column.name)
        case a.DropColumn(table=table, column=name):
            yield Claim("column", table, name, there=False)
        case a.CreateIndex(table=table, index=Name() as index, only=only):
            name = Name(index.home or table.home, index.name)
            yield Claim("index", name)
            if not only:  # it is INVALID until each partition has its own
                yield Claim("valid index", name)
        case a.AddConstraint(table=table, constraint=a.Constraint(name=str(name))):
            yield Claim("constraint", table, name)
        case a.DropConstraint(table=table, constraint=name):
            yield Claim("constraint", table, name, there=False)
        case a.AlterTable(table=table, what="create trigger" | "create or replace trigger", name=str(name)):
            yield Claim("trigger", table, name)
        case a.AddEnumValue(type=type, value=value):
            yield Claim("label", type, value)
        case a.Create(kind=kind, name=name, replace=False) if sort := _sort(kind):
            yield Claim(sort, name)
        case a.Drop(kind=kind, name=name) if sort := _sort(kind):
            yield Claim(sort, name, there=False)
        case a.Rename(kind="column" | "constraint" as kind, table=table, old=str(old), new=new):
            yield Claim(kind, table, old, there=False)
            yield Claim(kind, table, new)
        case a.Rename(kind=kind, table=table, old=None, new=new) if sort := _sort(kind):
            yield Claim(sort, table, there=False)
            yield Claim(sort, Name(table.home, new))


def _sort(kind: str) -> Sort | None:
    if kind in RELATIONS:
        return "relation"
    if kind in TYPES:
        return "type"
    match kind:
        case "index" | "function" | "schema" | "extension":
            return kind
        case "procedure":
            return "function"
    return None


def claims_in(*scripts: Script) -> Iterator[list[tuple[Statement, tuple[Claim, ...]]]]:
    """The claims of each statement, by script, that tell something after all of them.

    What a later one takes back is not looked for; nor is what is gone, where the scripts themselves had made it.
    """
    every = [(statement, claims_of(statement)) for script in scripts for statement in script.statements]
    first: dict[tuple[str, str, str, str], Claim] = {}
    last: dict[tuple[str, str, str, str], Claim] = {}
    gone: dict[tuple[str, str], int] = {}
    for place, (_, claims) in enumerate(every):
        for claim in claims:
            first.setdefault(claim.thing, claim)
            last[claim.thing] = claim
            if claim.sort in ("relation", "type") and not claim.there:
                gone[claim.name.key] = place

    def tells(claim: Claim, place: int) -> bool:
        with_its_table = claim.part and gone.get(claim.name.key, -1) >= place
        return last[claim.thing] == claim and not with_its_table and (claim.there or not first[claim.thing].there)

    kept = (
        (statement, claims if all(tells(claim, place) for claim in claims) else ())
        for place, (statement, claims) in enumerate(every)
    )
    return (list(islice(kept, len(script.statements))) for script in scripts)


def traces_of(claims: Iterable[tuple[Statement, tuple[Claim, ...]]], holds: Mapping[Claim, bool]) -> Traces:
    """What was found of each statement; `holds` says of each claim whether the catalog bears it out."""
    every = list(claims)
    return Traces(
        tuple(
            Trace(statement, _found([holds[claim] for claim in own]))
            for statement, own in every
            if not _is_about_the_session(statement)
        ),
        _at_once([statement for statement, _ in every]),
    )


def _at_once(statements: Sequence[Statement]) -> bool:
    """One statement, or all between one BEGIN and one COMMIT; code may commit of its own."""
    if any(not s.analysed or any(isinstance(action, a.RunCode | a.Call) for action in s.actions) for s in statements):
        return False
    ends = [
        (s.index, action.kind) for s in statements for action in s.certain
        if isinstance(action, a.Transaction) and action.kind not in ("savepoint", "release", "rollback to", "set")
    ]  # fmt: skip
    return len(statements) == 1 or ends == [(0, "begin"), (len(statements) - 1, "commit")]


def changes_rows(statement: Statement) -> bool:
    """Whether it may change rows, so that to run it twice is not to run it once."""
    return not statement.analysed or any(map(_is_about_rows, statement.actions))


def _is_about_rows(action: a.Action) -> bool:
    match action:
        case a.Query(calls=calls):
            return bool(calls)
        case a.AlterType(computed=computed):
            return computed
    return isinstance(action, ROWS)


def _is_about_the_session(statement: Statement) -> bool:
    """BEGIN, COMMIT, SET: they leave nothing behind that could be looked for."""
    return bool(statement.actions) and all(isinstance(action, a.Set | a.Transaction) for action in statement.actions)


def _found(held: Sequence[bool]) -> Found:
    if not held:
        return "not told"
    return "there" if all(held) else "partly" if any(held) else "not there"
