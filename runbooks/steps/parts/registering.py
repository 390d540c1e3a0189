"""The target's own register of who ran what, where gonogo.toml wants one."""

from collections.abc import Container, Iterable, Sequence

from migrations.apply.settle import Fate
from migrations.own import register
from migrations.own.register import Event, Who
from migrations.problem import Problem
from runbooks.session.events import Script
from runbooks.steps.base import Context


def registrar(ctx: Context) -> Who | None:
    """As whom this session writes into the register; None where there is to be none."""
    opened, plan = ctx.view.opened, ctx.view.plan
    if not ctx.environment.register or opened is None:
        return None
    by = opened.operator
    return Who(ctx.session, by.name, by.host, opened.ticket, plan.hash if plan else "")


async def caught_up(ctx: Context, fates: Iterable[Fate]) -> None:
    """The ends of scripts that an earlier attempt applied, where it could not write them any more. Raises Problem."""
    applied = [fate for fate in fates if fate.state == "applied"]
    if applied and registrar(ctx) is not None:
        async with ctx.connect("ledger") as conn:
            for fate in applied:
                await register.catch_up(conn, ctx.session, fate.row, "applied")


class Registered:
    """Lines for scripts that another program applies: `started` with it, `ended` when it is over."""

    def __init__(self, ctx: Context, scripts: Sequence[Script]) -> None:
        self._ctx = ctx
        self._scripts = scripts
        self._began = False

    async def started(self) -> None:
        """The program runs. Raises Problem."""
        await written(self._ctx, [(script.migration, script.sha256, "started") for script in self._scripts])
        self._began = True

    async def ended(self, applied: Container[str]) -> None:
        """It is over; how the scripts beside the `applied` ones ended is not known here.

        It has ended, lines or not: why there are none is said.
        """
        lines: list[tuple[str, str, Event]] = [
            (s.migration, s.sha256, "applied" if s.migration in applied else "unknown") for s in self._scripts
        ]
        if self._began and (why := await unwritten(self._ctx, lines)):
            await self._ctx.output(f"how it ended {why}\n", "note")


async def unwritten(ctx: Context, lines: Sequence[tuple[str, str, Event]]) -> str:
    """The same of what has happened already, line or not. Returns why there is no line of it; empty if there is."""
    try:
        await written(ctx, lines)
    except Problem as problem:
        return f"could not be written into gonogo.register: {problem.what}"
    return ""


async def written(ctx: Context, lines: Sequence[tuple[str, str, Event]]) -> None:
    """Lines of (migration, checksum, event), where there is to be a register. Raises Problem."""
    who = registrar(ctx)
    if who is None or not lines:
        return
    async with ctx.connect("ledger") as conn:
        await register.make(conn)
        for migration, checksum, event in lines:
            await register.write(conn, who, migration, checksum, "", event)
