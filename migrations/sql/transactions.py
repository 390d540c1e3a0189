"""Which statements of a script share a transaction, whether or not gonogo would run it."""

from collections.abc import Iterator

from migrations.sql.model import execution_model
from migrations.sql.script import Script


def transactions(script: Script) -> tuple[int | None, ...]:
    """For each statement, the number of the transaction that it runs in; None where it runs by itself.

    A BEGIN that nothing ends lasts to the end of the script.
    """
    if any(statement.facts.control in ("begin", "commit", "rollback") for statement in script.statements):
        return tuple(_own(script))
    numbers: dict[int, int | None] = {}
    for number, piece in enumerate(execution_model(script).pieces):
        by_itself = len(piece) == 1 and script.statements[piece[0]].facts.alone
        numbers |= dict.fromkeys(piece, None if by_itself else number)
    return tuple(numbers.get(statement.index, 0) for statement in script.statements)


def _own(script: Script) -> Iterator[int | None]:
    number, inside = 0, False
    for statement in script.statements:
        control = statement.facts.control
        inside = inside or control == "begin"
        yield number if inside else None
        if control in ("commit", "rollback"):
            number, inside = number + 1, statement.facts.chain
