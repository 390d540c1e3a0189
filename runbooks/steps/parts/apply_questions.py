"""What a person is asked while scripts are applied: what the server cannot tell, and whether to go on."""

from dataclasses import replace

from migrations.apply.events import ScriptBroken, Through, as_record
from migrations.apply.pausing import Next
from migrations.apply.script_run import ScriptToRun
from migrations.apply.settle import Fate
from runbooks.steps.base import Context

TOOK_EFFECT = "it took effect"
DID_NOT = "it did not"
GO_ON = "go on"
STOP = "stop"


async def decided(ctx: Context, fate: Fate, script: ScriptToRun) -> Fate:
    """What became of what is in doubt; the answer is recorded. It may have come to a COMMIT in its middle."""
    points = [piece.indexes[-1] + 1 for piece in script.pieces]
    between = {f"only as far as statement {n}": n for n in points if fate.through < n < fate.doubt}
    several = fate.doubt - fate.through > 1
    what = f"statements {fate.through + 1} to {fate.doubt} do" if several else f"statement {fate.doubt} does"
    text = (
        f"{fate.name}: {fate.words}. Look into the database for what {what} "
        f"(the script is scripts/{fate.checksum}.sql in the session's folder). Did it take effect, all of it?"
    )
    choices = {TOOK_EFFECT: fate.doubt, **between, DID_NOT: fate.through}
    answer = await ctx.ask(f"effect-{fate.row}", text, choices=tuple(choices))
    through = choices[answer]
    word = (
        Through(fate.name, fate.row, through)
        if through > fate.through
        else ScriptBroken(fate.name, fate.row, fate.doubt - 1, through, True, False, "a person found no effect")
    )
    looked_at = {"timeline": ctx.target.pin.timeline} if ctx.target.pin else {}
    await ctx.record(label=fate.name, **as_record(word), **looked_at)
    return replace(fate, state="partly" if through else "nothing", through=through)


async def may_go_on(ctx: Context, following: Next) -> bool:
    """Whether to go on with the next transaction."""
    if following.first == following.statements:
        what = "only the ledger's row is still to be finished"
    else:
        last = f" to {following.last + 1}" if following.last > following.first else ""
        of = f"statement {following.first + 1}{last} of {following.statements}"
        what = f"{of}, from line {following.line} on: {following.summary}"
    kept = f"Statements before it are committed; ending here leaves {following.name} half applied. "
    text = f"Next comes {following.name}: {what}. {kept if following.first else ''}Go on?"
    return await ctx.ask(f"go-on-{following.row}-{following.first}", text, choices=(GO_ON, STOP)) == GO_ON
