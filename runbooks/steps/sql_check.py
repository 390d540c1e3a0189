"""`sql.check`: a query, and what it must return."""

from datetime import timedelta

from pydantic import JsonValue

from migrations.target.ask import Scalar, ask
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.duration import Duration

SHOWN = 300


class Params(Frozen):
    """`expect`: one value; or a list: one column's values; or a list of lists: rows. Left out: the query says true."""

    query: str
    expect: JsonValue = True
    timeout: Duration = timedelta(seconds=30)


class Result(Frozen):
    """What came back."""

    rows: tuple[tuple[Scalar, ...], ...]


async def run(ctx: Context, params: Params) -> Result:
    """Ask, in a read-only transaction. Raises Problem if the query itself fails."""
    async with ctx.connect("read") as conn:
        rows = await ask(conn, params.query, timeout=params.timeout)
    found = _as_expected(rows, params.expect)
    same = type(found) is type(params.expect) and found == params.expect
    evidence = _short(found) if same else f"{_short(found)}, where {_short(params.expect)} was expected"
    advice = "" if same else "Find out why before you go on; the query is in the runbook."
    ctx.check("answer", "The query's answer", "ok" if same else "fail", evidence, advice)
    return Result(rows=tuple(rows))


def _as_expected(rows: list[tuple[Scalar, ...]], expect: JsonValue) -> JsonValue:
    """The rows in the shape that the expectation has, as far as they fit into it."""
    if not isinstance(expect, list):
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else [list(row) for row in rows]
    one_column = all(len(row) == 1 for row in rows) and not any(isinstance(row, list) for row in expect)
    return [row[0] for row in rows] if one_column else [list(row) for row in rows]


def _short(value: JsonValue) -> str:
    text = "no rows" if value == [] else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def shows(params: Params) -> str:
    """What is asked."""
    return f"{params.query.strip()} → {_short(params.expect)}"


STEP = StepKind("Ask the database", "reads", Params, run, shows)
