"""`backup.read`: a dump that the team's own script made, read back and held against the catalog."""

import glob
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from migrations.backup.files import Format
from migrations.backup.found import Found
from migrations.problem import Misuse
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import microseconds, spell
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts import dump_found
from runbooks.steps.parts.dump_found import Made
from runbooks.steps.parts.dumps import server_tools
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.pattern import Pattern


class Params(Frozen):
    """`from` is the run block that made the dump: what lay there before is not taken for it. Where it is, one tells:

    `file`, a path or a glob, from the folder of gonogo.toml, of which the newest counts; `printed`, a regular
    expression for a line that the run block says (its first group, else all of it); `variable`, an environment
    variable. `max_age`: how long it is good for a GO. `bin`: where pg_restore is.
    """

    from_: str | None = Field(default=None, alias="from")
    file: str | None = None
    printed: Pattern | None = None
    variable: str | None = None
    max_age: Duration = timedelta(hours=4)
    bin: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.file, self.printed, self.variable)) != 1:
            raise ValueError("one of `file`, `printed` and `variable` says where the dump is")
        if self.printed is not None and self.from_ is None:
            raise ValueError("`printed` needs `from`: the run block whose lines are looked at")
        return self


class Result(Frozen):
    """As that of `backup.dump`, as far as it can be known. `rows` are those in the dump. `counted_at`: when the
    database was looked at beside it."""

    path: str
    bytes: int
    sha256: str
    taken_at: str
    stale_at: str
    max_age_us: int
    duration_us: int | None
    tables: int
    rows: dict[str, int]
    format: Format
    state: str
    counted_at: str


async def run(ctx: Context, params: Params) -> Result:
    """Find it, read it, compare it. What is not right with it is a check. Raises Misuse, Problem, Unavailable."""
    made = dump_found.made_by(ctx, params.from_) if params.from_ else None
    path = await dump_found.newest(ctx, _where(ctx, params, made), made.began if made else None)
    marks, before = await dump_found.looked_at(ctx, path)
    if before:
        return _again(ctx, params, made, Result.model_validate(before))
    dump = await dump_found.read_back(ctx, await server_tools(ctx, params.bin), path)
    there = await dump_found.compared(ctx, dump)
    dump_found.private(ctx, path)
    taken, known_by = _taken(made, dump)
    stale = dump_found.age(ctx, taken, params.max_age, known_by)
    if not path.is_dir():
        await ctx.keep("dump", path)
    result = Result(
        path=str(path),
        bytes=dump.size,
        sha256=dump.sha256,
        taken_at=dump_found.stamp(taken),
        stale_at=stale,
        max_age_us=microseconds(params.max_age),
        duration_us=made.took_us if made else None,
        tables=len(dump.rows),
        rows=dict(sorted(dump.rows.items())),
        format=dump.format,
        state=await dump_found.keep_state(ctx, there),
        counted_at=dump_found.stamp(datetime.now(UTC)),
    )
    if there.same:
        kept = result.model_dump(mode="json")
        await ctx.record(label="read", attempt=ctx.attempt, at=str(path), marks=marks, result=kept)
    return result


def _where(ctx: Context, params: Params, made: Made | None) -> str:
    """The path or glob that leads to it. What a line or a variable says is no glob."""
    if params.file is not None:
        return params.file
    if params.printed is not None:
        assert made is not None
        return glob.escape(dump_found.printed(made, params.printed))
    assert params.variable is not None
    if path := ctx.child_environment().get(params.variable):
        return glob.escape(path)
    raise Misuse(f"{params.variable} is not set.", advice="It must hold the path of the dump.")


def _taken(made: Made | None, dump: Found) -> tuple[datetime, str]:
    """When, at the earliest, and how that is known."""
    if made is not None:
        return made.began, f"when {made.step} began"
    by = "its own word" if dump.created and dump.created < dump.written else "the time of its file"
    return dump.taken, by


def _again(ctx: Context, params: Params, made: Made | None, known: Result) -> Result:
    """What was read back before, and was not written to since."""
    read = f"{known.path}, read at {known.counted_at[:16]} and not written to since"
    ctx.check("read-back", "Every byte was read back", "ok", read)
    dump_found.private(ctx, Path(known.path))
    taken = made.began if made else datetime.fromisoformat(known.taken_at)
    stale = dump_found.age(ctx, taken, params.max_age, "as when it was read")
    return known.model_copy(update={"taken_at": dump_found.stamp(taken), "stale_at": stale})


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    where = params.file or (f"${params.variable}" if params.variable else f"what {params.from_} prints")
    return f"{where}, read back and held against the catalog; good for {spell(params.max_age)}"


STEP = StepKind("Read the dump back", "reads", Params, run, shows, names=("from",))
