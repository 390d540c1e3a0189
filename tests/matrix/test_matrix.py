"""Every fault, in every part of every script, under every model: nothing twice, nothing lost, and the right ledger."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from migrations.sql import read_script
from tests.matrix.engine import NAME, Play, code_of, go_on, look, strike
from tests.matrix.faults import FAULTS, Fault
from tests.matrix.killed import Runner
from tests.matrix.stage import Home, Stage
from tests.matrix.table import GATELESS, MATRIX, SCRIPTS, Left, Row, parts_in

ROWS = [row for row in MATRIX.values() if not row.stops]


def places(fault: Fault) -> Iterator[tuple[Row, int]]:
    """Where it may strike. A line is cut as a query goes out, so at the first part of what is sent as one."""
    for row in ROWS:
        for place in getattr(row, fault.column):
            here = f"{row.script} {place}"
            shunned = here in fault.shuns or (here == GATELESS and fault.inside != "")
            first = place == 1 or (row.way != "prisma-7.3" and row.script != "bare")
            if not shunned and (first or fault.how != "line") and (not fault.only or here == fault.only):
                yield row, place


def cells(*, alone: bool) -> Iterator[Any]:
    """Each fault in each of its places; those that run rarely are marked."""
    for fault in FAULTS:
        for row, place in places(fault) if fault.alone is alone else ():
            often = f"{row.script} {row.way} {place}" in fault.often.split("; ")
            name = f"{row.script}-{row.way}-{place}-{fault.name}"
            yield pytest.param(row, fault, place, id=name, marks=() if often else (pytest.mark.soak,))


@pytest.mark.parametrize(("row", "fault", "place"), cells(alone=False))
async def test_a_fault(shared: Home, tmp_path: Path, row: Row, fault: Fault, place: int) -> None:
    await _strikes(await Stage.made(shared), tmp_path, row, fault, place)


@pytest.mark.parametrize(("row", "fault", "place"), cells(alone=True))
async def test_a_fault_of_the_server(alone: Home, tmp_path: Path, row: Row, fault: Fault, place: int) -> None:
    await _strikes(await Stage.made(alone), tmp_path, row, fault, place)


async def _strikes(stage: Stage, folder: Path, row: Row, fault: Fault, place: int) -> None:
    play, left = Play(stage, folder, row), row.left(fault.column, place)
    ended = await strike(play, fault, place)
    assert code_of(ended) == fault.code
    whole = left.parts == row.parts and not left.asked
    known = not whole and (fault.how == "late" or row.known_at_once(fault.column, place))
    told = fault.told and known if fault.told is not None else None
    await look(play, left, ["applied 1" if whole else "failed"], told=told)
    await stage.mend()
    await stage.query(fault.mend.format(stage.schema))
    await go_on(play, left, anew=left.parts == 0 or left.amid)


@pytest.mark.parametrize("row", MATRIX.values(), ids=lambda row: f"{row.script}-{row.way}")
async def test_without_a_fault_it_runs_or_stops_as_prisma_does(shared: Home, tmp_path: Path, row: Row) -> None:
    stage = await Stage.made(shared)
    play = Play(stage, tmp_path, row)
    if row.stops:
        with pytest.raises(Exception, match=row.stops):
            await play.begin()
        await look(play, Left(0), ["failed"], told=True)
    else:
        await play.begin()
        await go_on(play, Left(row.parts), anew=False)


Event = dict[str, Any]


def after(row: Row, told: Sequence[Event]) -> tuple[Left, list[str]]:
    """What a runner leaves that was killed as it told the last of these: what is there, and the states of its rows."""
    statements = [list(parts_in(s.text)) for s in read_script(SCRIPTS[row.script]).statements]
    last = told[-1]
    finished = any(event["event"] == "Committing" and event["finishing"] for event in told[:-1])
    match last["event"]:
        case "Connected" | "ScriptStarted":
            return Left(0), []
        case "ScriptEnded":
            return Left(row.parts), ["applied 1"]
        case "Through":
            count = sum(map(len, statements[: last["through"]]))
            return Left(count), ["applied 1" if finished else "failed"]
        case "Committing":
            return row.uncommitted[sum(event["event"] == "Committing" for event in told)], ["failed"]
        case "Sending" | "StatementStarted":
            first = 0 if row.way == "prisma-7.3" else last["statement"]
            return row.silent[next(part for found in statements[first:] for part in found)], ["failed"]
        case "StatementEnded":
            found = statements[last["statement"]] if row.way != "prisma-7.3" else [row.parts]
            if found:
                return row.unheard[found[-1]], ["failed"]
            return row.silent[next(part for found in statements[last["statement"] :] for part in found)], ["failed"]
    raise AssertionError(last)


async def killed_at(stage: Stage, folder: Path, row: Row, nth: int) -> bool:
    """A runner is killed as it tells its nth event, and gone on from. Whether it came to that."""
    play = Play(stage, folder, row)
    runner = Runner(play.url, {NAME: play.texts[NAME]}, row.way, dies_at=nth)
    if not await runner.dead():
        return False
    play.heard(runner.events)
    left, ledger = after(row, [event for _, event in runner.events])
    await look(play, left, ledger)
    await go_on(play, left, anew=ledger == ["failed"] and (left.parts == 0 or left.amid))
    return True


@pytest.mark.parametrize(
    ("script", "way", "nth"), [("own", "safe", 8), ("pieces", "safe", 7), ("one", "prisma-7.3", 3)]
)
async def test_kill_9_of_the_runner_at_an_event(shared: Home, tmp_path: Path, script: str, way: str, nth: int) -> None:
    assert await killed_at(await Stage.made(shared), tmp_path, MATRIX[script, way], nth)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.script}-{row.way}")
async def test_kill_9_of_the_runner_at_each_event(shared: Home, tmp_path: Path, row: Row) -> None:
    for nth in itertools.count(1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        if not await killed_at(await Stage.made(shared), folder, row, nth):
            break
    assert nth > row.parts
