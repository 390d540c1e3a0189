"""`ledger.resolve`: marks a failed migration as rolled back, where its row is."""

from migrations import ledger
from runbooks.frozen import Frozen
from runbooks.steps.base import Context, StepKind


class Params(Frozen):
    """`rolled_back`: the migration whose failed row is to be marked. Undo what it did first."""

    rolled_back: str


class Result(Frozen):
    """How many rows were marked."""

    marked: int


async def run(ctx: Context, params: Params) -> Result:
    """Mark it. Raises Problem P3012 if the ledger says that it was applied, P1002 if somebody migrates now."""
    name, schema = params.rolled_back, ctx.target.url.schema
    async with ctx.connect("ledger") as conn:
        rows = [row for row in await ledger.read(conn, schema) or () if row.name == name]
        marked = await ledger.mark_rolled_back(conn, name, schema=schema) if rows else 0
    if marked:
        words = f"{name} is marked as rolled back; it is pending again"
    elif rows:
        words = f"{name} was marked as rolled back before; nothing had to be marked"
    else:
        words = f"the ledger has no row of {name}; nothing had to be marked"
    ctx.check("marked", "The ledger says so", "ok", words)
    return Result(marked=marked)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"mark the failed row of {params.rolled_back} in the ledger as rolled back; its SQL is not touched"


STEP = StepKind("Mark a migration as rolled back", "target", Params, run, shows)
