"""Which statements of a script share a transaction, whether or not gonogo would run it."""

from migrations.sql.pieces import largest
from migrations.sql.script import Script


def transactions(script: Script) -> tuple[int | None, ...]:
    """For each statement, the number of the transaction that it runs in; None where it runs by itself.

    A BEGIN that nothing ends lasts to the end of the script.
    """
    numbers: dict[int, int | None] = {}
    for number, piece in enumerate(largest(script.statements)):
        numbers |= dict.fromkeys(piece.indexes, None if piece.by_itself else number)
    return tuple(numbers[statement.index] for statement in script.statements)
