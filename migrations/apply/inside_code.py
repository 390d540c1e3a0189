"""Where an error stands in code that a statement runs."""

import re

import psycopg

from migrations.sql import Statement
from migrations.sql import actions as a

_LINE = re.compile(r"^PL/pgSQL function inline_code_block line (\d+)\b", re.MULTILINE)


def line_inside(statement: Statement, error: Exception) -> int | None:
    """How many characters after its start a DO block has the line that the server names; None where it names none."""
    context = (isinstance(error, psycopg.Error) and error.diag.context) or ""
    lines = _LINE.findall(context)
    for action in statement.certain:
        if lines and isinstance(action, a.RunCode) and (at := statement.text.find(action.body)) >= 0:
            before = action.body.split("\n")[: int(lines[-1]) - 1]
            return at + sum(len(line) + 1 for line in before)
    return None
