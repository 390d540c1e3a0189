"""How a script can be run: in which transactions, or not at all, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from migrations.listed import many
from migrations.sql import actions as a
from migrations.sql import prisma
from migrations.sql.pieces import Piece, Pieces, each, largest, never_ended
from migrations.sql.script import Script, Statement

Way = Literal["safe", "prisma-7.3", "prisma-7.4"]
"""gonogo's own way, or exactly what Prisma does: up to 7.3, or from 7.4 on."""

ModelKind = Literal["transaction", "own", "bare", "pieces", "batch", "split", "empty", "refused"]


@dataclass(frozen=True, slots=True)
class Model:
    """`words` say why; `kept` what a failure leaves committed, `prisma` what Prisma does differently; or are empty.

    The pieces are run one after the other; those of a `batch` go out as one query, in which each ends by a COMMIT
    of the script. Refused: no pieces.
    """

    kind: ModelKind
    words: str
    pieces: Pieces = ()
    kept: str = ""
    prisma: str = ""


def execution_model(script: Script, way: Way = "safe") -> Model:
    """How gonogo runs this script by itself."""
    statements = script.statements
    if reason := _refused(script, way):
        return Model("refused", reason)
    if not statements:
        return Model("empty", "there is no statement in it; it only counts as applied")
    kind, words, pieces = _batch(statements) if way == "prisma-7.3" else _chosen(statements, way)
    return Model(kind, words, pieces, _kept(statements, pieces), _elsewhere(statements, way, pieces))


def _refused(script: Script, way: Way) -> str:
    if script.error:
        return f"it cannot be read: {script.error.message} (line {script.error.line})"
    for statement in script.statements:
        if any(isinstance(action, a.Copy) and action.from_client for action in statement.actions):
            return f"line {statement.line}: COPY to or from a client needs one such as psql"
        if statement.facts.control == "prepare":
            return f"line {statement.line}: a transaction that is committed in two phases outlives this script"
    if began := never_ended(script.statements):
        return (
            f"line {began.line}: the transaction begun here is never committed: all of it would be lost "
            "(Prisma loses it, and calls that a success)"
        )
    return _cannot_be_in_its_own(script.statements) or (_doubtful_end(script.statements) if way == "safe" else "")


def _cannot_be_in_its_own(statements: Sequence[Statement]) -> str:
    """What the server would refuse inside of a transaction that the script itself began; and a chain of none."""
    began: Statement | None = None
    for statement in statements:
        control = statement.facts.control
        if control == "begin":
            began = began or statement
        elif control in ("commit", "rollback"):
            if began is None and statement.facts.chain:
                return f"line {statement.line}: AND CHAIN needs a BEGIN before it (25P01)"
            began = statement if statement.facts.chain else None
        elif began and statement.facts.alone:
            return f"line {statement.line}: this cannot be in a transaction, and line {began.line} began one"
    return ""


def _doubtful_end(statements: Sequence[Statement]) -> str:
    """A ROLLBACK that takes back more than the script began: up to 7.3 Prisma loses that, from 7.4 on it keeps it."""
    chained = False
    for piece in largest(statements):
        first, last = statements[piece.indexes[0]], statements[piece.indexes[-1]]
        began = chained or first.facts.control == "begin"
        if last.facts.control == "rollback" and len(piece.indexes) > 1 and not began:
            return (
                f"line {last.line}: with Prisma up to 7.3 this ROLLBACK takes back what stands without a BEGIN from "
                f"line {first.line} on, from 7.4 on it does not; take it out, or choose a version by model ="
            )
        chained = last.facts.chain
    return ""


def _chosen(statements: Sequence[Statement], way: Way) -> tuple[ModelKind, str, Pieces]:
    if way == "prisma-7.4":
        found = prisma.unread(statements)
        if found is None:
            return "split", "statement by statement, as Prisma does from 7.4 on", each(statements)
        kind, words, pieces = _batch(statements)
        return kind, f"{words}: its parser does not read line {found[0].line} ({found[1]})", pieces
    pieces = largest(statements)
    if any(s.facts.control in ("begin", "commit", "rollback") for s in statements):
        return "own", "it has a BEGIN and COMMIT of its own", pieces
    if len(statements) == 1 and statements[0].facts.may_commit:
        return "bare", "it is one call of code that may commit in its middle", pieces
    if len(pieces) == 1 and not pieces[0].by_itself:
        return "transaction", "all of it is in one transaction, together with the ledger", pieces
    return "pieces", _why_pieces(statements, pieces), pieces


def _batch(statements: Sequence[Statement]) -> tuple[ModelKind, str, Pieces]:
    """One query; what is a transaction in it is made by the script's own COMMITs."""
    pieces: list[Piece] = []
    group: list[int] = []
    for statement in statements:
        group.append(statement.index)
        if statement.facts.control in ("commit", "rollback"):
            pieces.append(Piece(tuple(group)))
            group = []
    if group:
        pieces.append(Piece(tuple(group), by_itself=len(group) == 1))
    words = "all of it as one query, as Prisma does"
    if stops := prisma.stops_as_one(statements):
        words = f"{words}; it will stop at line {stops.statement.line}: {stops.why}"
    return "batch", words, tuple(pieces)


def _kept(statements: Sequence[Statement], pieces: Pieces) -> str:
    """The points from which on a failure leaves something committed."""
    if len(statements) == 1 and statements[0].facts.may_commit:
        return "what it commits in its middle stays if it fails after that"
    starts = [statements[piece.indexes[0]] for piece in pieces[1:]]
    if not starts:
        return ""
    if len(starts) == len(statements) - 1:
        return f"each statement is committed by itself: from line {starts[0].line} on a failure keeps those before"
    points = ", ".join(f"from line {start.line} on statements 1 to {start.index}" for start in starts[:3])
    points = points.replace("statements 1 to 1", "statement 1")
    return f"a failure keeps {points}{f', and so on {len(starts) - 3} times' if len(starts) > 3 else ''}"


def _elsewhere(statements: Sequence[Statement], way: Way, pieces: Pieces) -> str:
    """What Prisma does differently, in a sentence for each of its two ways of running a script."""
    found = [] if way == "prisma-7.3" else [_up_to_7_3(statements, way, pieces)]
    found += [] if way == "prisma-7.4" else [_from_7_4(statements, pieces)]
    found += [f"Prisma {words}" for words in prisma.left_behind(statements)]
    return ". ".join(words for words in found if words)


def _up_to_7_3(statements: Sequence[Statement], way: Way, pieces: Pieces) -> str:
    if stops := prisma.stops_as_one(statements):
        versions = "Prisma" if prisma.unread(statements) else "Prisma up to 7.3"
        return "" if way != "safe" and versions == "Prisma" else _stops(versions, stops)
    if way == "prisma-7.4" and prisma.unread(statements) is None and len(pieces) > len(_batch(statements)[2]):
        return "Prisma up to 7.3 sends all of it as one query, of which a failure keeps nothing"
    return ""


def _from_7_4(statements: Sequence[Statement], pieces: Pieces) -> str:
    if prisma.unread(statements) is not None:
        return ""
    if stops := prisma.stops_in_statements(statements):
        return _stops("Prisma from 7.4 on", stops)
    if len(each(statements)) <= len(pieces):
        return ""
    local = any(isinstance(x, a.Set) and x.local for s in statements for x in s.certain)
    lost = ", where SET LOCAL has no effect" if local else ""
    return f"Prisma from 7.4 on commits each statement by itself{lost}: a failure keeps those before"


def _stops(who: str, stops: prisma.Stops) -> str:
    return f"{who} stops at line {stops.statement.line}: {stops.why}"


def _why_pieces(statements: Sequence[Statement], pieces: Pieces) -> str:
    alone = [statement.line for statement in statements if statement.facts.alone]
    reasons = []
    if alone:
        where = ", ".join(f"line {line}" for line in alone)
        reasons.append(f"what stands at {where} cannot be in a transaction")
    if any(not before.by_itself and not after.by_itself for before, after in pairwise(pieces)):
        reasons.append("a new enum value must be committed before it is used")
    words = " and ".join(reasons)
    return f"{words}: {many(len(pieces), 'piece')}, each committed before the next" if len(pieces) > 1 else words
