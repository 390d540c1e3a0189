"""The matrix of faults as data: for each script and model, what is there after a fault, and who has to be asked.

A script is a row of parts, numbered from 1. Each leaves one thing behind, and comes to `gate(n)` in its middle, where
a fault can wait for it (all but ALTER TYPE). What stands in the columns was written down from what PostgreSQL and
Prisma do, not from what gonogo does: ≤ 7.3 sends a file as one query, ≥ 7.4 each statement by itself if its parser can
read all of the file.
"""

import re
from dataclasses import dataclass
from typing import Literal

from migrations.sql import Way

SCRIPTS = {
    "one": """
        CREATE TABLE made AS SELECT gate(1) AS part;
        INSERT INTO log SELECT gate(2);
        INSERT INTO log SELECT gate(3);
    """,
    "own": """
        BEGIN;
        CREATE TABLE made AS SELECT gate(1) AS part;
        INSERT INTO log SELECT gate(2);
        COMMIT;
        INSERT INTO log SELECT gate(3);
        BEGIN;
        INSERT INTO log SELECT gate(4);
        COMMIT;
    """,
    "chain": """
        BEGIN;
        CREATE TABLE made AS SELECT gate(1) AS part;
        COMMIT AND CHAIN;
        INSERT INTO log SELECT gate(2);
        COMMIT;
    """,
    "bare": """
        DO $$ BEGIN
            INSERT INTO log SELECT gate(1) WHERE NOT EXISTS (SELECT FROM log WHERE part = 1);
            COMMIT;
            INSERT INTO log SELECT gate(2);
        END $$;
    """,
    "pieces": """
        CREATE TABLE made AS SELECT gate(1) AS part;
        CREATE UNIQUE INDEX CONCURRENTLY built ON things (gated(2, thing));
        INSERT INTO log SELECT gate(3);
        INSERT INTO log SELECT gate(4);
    """,
    "enum": """
        INSERT INTO log SELECT gate(1);
        ALTER TYPE mood ADD VALUE 'fine';
        INSERT INTO log SELECT gate(3) WHERE 'fine'::mood IS NOT NULL;
    """,
}

ROWS = """
script | model      | whole | broke   | silent      | unheard     | commits
one    | safe       | 3     | 0 0 0   | 0 0 0       | 0 0 0       | 0/3
one    | prisma-7.3 | 3     | 0 0 0   | 0? 0? 0?    | 3? 3? 3?    |
one    | prisma-7.4 | 3     | 0 1 2   | 0? 1? 2?    | 1? 2? 3?    |
own    | safe       | 4     | 0 0 2 2 | 0 0 2 2     | 0 0 2 2     | 0/2 2/4
own    | prisma-7.3 | 4     | 0 0 2 2 | 0? 0? 2? 2? | 4? 4? 4? 4? |
own    | prisma-7.4 | 4     | 0 0 2 3 | 0 0 2? 3    | 0 0 3? 3    | 0/2 3/4
chain  | safe       | 2     | 0 1     | 0 1         | 0 1         | 0/1 1/2
chain  | prisma-7.3 | 2     | 0 1     | 0? 1?       | 2? 2?       |
chain  | prisma-7.4 | 2     | 0 1     | 0 1         | 0 1         | 0/1 1/2
bare   | safe       | 2     | 0? 1~?  | 0? 1~?      | 2? 2?       |
bare   | prisma-7.3 | 2     | 0? 1~?  | 0? 1~?      | 2? 2?       |
bare   | prisma-7.4 | 2     | 0? 1~?  | 0? 1~?      | 2? 2?       |
pieces | safe       | 4     | 0 1 2 2 | 0 1 2 2     | 0 2 2 2     | 0/1 2/4
pieces | prisma-7.3 | 25001 |         |             |             |
pieces | prisma-7.4 | 4     | 0 1 2 3 | 0? 1 2? 3?  | 1? 2 3? 4?  |
enum   | safe       | 3     | 0 0 2   | 0 0 2       | 0 0 2       | 0/2 2/3
enum   | prisma-7.3 | 55P04 |         |             |             |
enum   | prisma-7.4 | 3     | 0 1 2   | 0? 1? 2?    | 1? 2? 3?    |
"""
"""Each number says how many parts are there after the fault; the n-th of a column is for a fault in part n.

`whole`: nothing happens; the parts, or the code of the error that stops it with nothing committed.
`broke`: the statement was answered by an error. `silent`: it was not answered, and did not end.
`unheard`: it ended, or all that was sent with it, and the answer was lost. `commits`: the n-th COMMIT that is sent by
itself, which the server never got / has done. `?`: only a person can tell. `~`: in the middle of a statement,
which has to be run again as a whole.
"""

PART = re.compile(r"gated?\((\d)|(ADD VALUE)")
GATELESS = "enum 2"


def parts_in(text: str) -> dict[int, str]:
    """The parts that a piece of a script holds, in their order, each with a word that stands nowhere else."""
    return {int(match[1] or 2): match[0] for match in PART.finditer(text)}


Column = Literal["broke", "silent", "unheard", "uncommitted", "committed"]


@dataclass(frozen=True, slots=True)
class Left:
    """What a fault leaves: the first `parts`; `asked` of a person; `amid` a statement that is begun anew."""

    parts: int
    asked: bool = False
    amid: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One script under one model. `stops`: the code that stops it without a fault. Keys are parts, or COMMITs."""

    script: str
    way: Way
    parts: int
    stops: str
    broke: dict[int, Left]
    silent: dict[int, Left]
    unheard: dict[int, Left]
    uncommitted: dict[int, Left]
    committed: dict[int, Left]

    def left(self, column: Column, place: int) -> Left:
        """What a fault of this sort leaves, in this part or COMMIT."""
        found: dict[int, Left] = getattr(self, column)
        return found[place]

    def known_at_once(self, column: Column, place: int) -> bool:
        """Whether the runner itself knows what is committed: of an error, or of a transaction that it had not ended."""
        if column == "broke":
            return not self.broke[place].asked
        return column in ("silent", "unheard") and self.silent[place] == self.unheard[place]


def _row(line: str) -> Row:
    script, way, whole, broke, silent, unheard, commits = (cell.strip() for cell in line.split("|"))
    model: dict[str, Way] = {"safe": "safe", "prisma-7.3": "prisma-7.3", "prisma-7.4": "prisma-7.4"}
    before, after = (" ".join(cell.split("/")[side] for cell in commits.split()) for side in (0, 1))
    stops = whole if len(whole) == 5 else ""
    return Row(
        script, model[way], 0 if stops else int(whole), stops,
        _column(broke), _column(silent), _column(unheard), _column(before), _column(after),
    )  # fmt: skip


def _column(text: str) -> dict[int, Left]:
    return {n: _left(cell) for n, cell in enumerate(text.split(), 1)}


def _left(cell: str) -> Left:
    return Left(int(cell.rstrip("?~")), asked="?" in cell, amid="~" in cell)


MATRIX: dict[tuple[str, str], Row] = {(row.script, row.way): row for row in map(_row, ROWS.strip().splitlines()[1:])}
