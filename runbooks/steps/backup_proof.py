"""`backup.proof`: that there is a way back, shown by one of several things; and what exactly is shown."""

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from migrations.problem import Problem
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import microseconds, spell
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts import proofs
from runbooks.steps.parts.dump_found import stamp
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.pattern import Pattern
from runbooks.steps.parts.proofs import NotProven, Proof, Proven

Way = Literal["dump", "recent", "snapshot"]


class Params(Frozen):
    """`any_of`, in this order: `dump`, a dump of this session; `recent`, one younger than `max_age` by an earlier
    session, or at `file` (a path or a glob); `snapshot`, an id that the run block `snapshot` has `printed` (a regular
    expression), else that a person gives, together with a `backup.restore_point` of this session.
    """

    any_of: list[Way] = Field(default=["dump", "recent", "snapshot"], min_length=1)
    max_age: Duration = timedelta(hours=24)
    file: str | None = None
    snapshot: str | None = None
    printed: Pattern | None = None
    bin: str | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.snapshot is None) != (self.printed is None):
            raise ValueError("`snapshot` and `printed` go together: the run block, and what its line looks like")
        if self.snapshot is not None and "snapshot" not in self.any_of:
            raise ValueError('`snapshot` is of no use without "snapshot" in `any_of`')
        if self.file is not None and "recent" not in self.any_of:
            raise ValueError('`file` is of no use without "recent" in `any_of`')
        return self


class Result(Frozen):
    """`proven`: `read back` by this session; `same bytes` as an earlier session read back; or `only named`.

    `what` is a path or an id. Where it is a dump, a way back can start from it, as from the dump of a session.
    """

    by: Way
    proven: Proven
    what: str
    taken_at: str
    stale_at: str
    max_age_us: int
    path: str = ""
    sha256: str = ""
    state: str = ""
    counted_at: str = ""
    restore_point: str = ""
    lsn: str = ""


async def run(ctx: Context, params: Params) -> Result:
    """Try each in turn; the first that holds is the proof. Raises Problem if none does."""
    refused = list[str]()
    for way in params.any_of:
        try:
            proof = await _proof(ctx, params, way)
        except (NotProven, Problem) as why:
            refused.append(f"{way}: {why}")
            await ctx.output(f"not by {way}: {why}\n", "note")
            continue
        ctx.check("proof", f"Proof of a way back: {proof.proven}", "ok", proof.words)
        if proof.doubts:
            ctx.check("whole", "A way back can start from it", "warn", proof.doubts, "Look at it, or dump anew.")
        return _result(params, way, proof)
    raise Problem(
        f"Nothing proves that there is a way back: {'; '.join(refused)}.",
        advice="Take a dump, or a snapshot and a restore point, and run this again.",
    )


async def _proof(ctx: Context, params: Params, way: Way) -> Proof:
    match way:
        case "dump":
            return await proofs.by_dump(ctx, params.max_age)
        case "recent":
            return await proofs.by_recent(ctx, params.max_age, params.file, params.bin)
        case "snapshot":
            return await proofs.by_snapshot(ctx, params.max_age, params.snapshot, params.printed)


def _result(params: Params, way: Way, proof: Proof) -> Result:
    return Result(
        by=way,
        proven=proof.proven,
        what=proof.what,
        taken_at=proof.taken_at,
        stale_at=stamp(datetime.fromisoformat(proof.taken_at) + params.max_age),
        max_age_us=microseconds(params.max_age),
        path=proof.path,
        sha256=proof.sha256,
        state=proof.state,
        counted_at=proof.counted_at,
        restore_point=proof.restore_point,
        lsn=proof.lsn,
    )


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"looks for one of: {', '.join(params.any_of)}; good for {spell(params.max_age)}"


STEP = StepKind("Prove that there is a way back", "reads", Params, run, shows, asks=("snapshot",), names=("snapshot",))
