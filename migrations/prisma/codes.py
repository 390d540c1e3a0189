"""Prisma's error codes, in words: what is the matter, and the way out."""

from migrations.prisma.said import Said
from migrations.problem import Problem

RESOLVE = "Find out what of it took effect, undo or complete that, and only then mark it: gonogo resolve."
CODES = {
    "P1000": ("the server refuses the login", "Check user and password in the address."),
    "P1001": ("the server cannot be reached", "Check that it runs, and that host and port can be reached from here."),
    "P1002": (
        "the server did not answer in time, or somebody else holds the migration lock",
        "Find who holds it (Preflight names them), let them end, then start the step again.",
    ),
    "P1003": ("the database does not exist", "Check its name in the address."),
    "P1010": ("the user may not use the database", "Let its owner grant it what migrations need."),
    "P1011": ("there is no agreement on encryption", "Check sslmode and its like in the address."),
    "P1012": (
        "the Prisma schema is not valid here",
        "Correct it, or name the variable of its url in gonogo.toml; `prisma validate` says where.",
    ),
    "P1013": ("the address cannot be read", "Check it; special characters in a password are written as %40 and so on."),
    "P3005": (
        "the database is not empty and has no ledger",
        "Baseline it first: mark the migrations that made its tables as applied.",
    ),
    "P3008": ("the migration is applied already", "There is nothing to mark."),
    "P3009": ("an earlier migration failed and was never resolved", RESOLVE),
    "P3011": ("the migration was never applied", "Check the name."),
    "P3012": ("the migration is not in a failed state", "Only a failed one can be marked as rolled back."),
    "P3015": ("a migration's folder has no migration.sql", "Put the script back, or delete the empty folder."),
    "P3017": ("there is no migration of that name", "Check the name."),
    "P3018": ("a migration failed to apply", RESOLVE),
    "P3019": ("migration_lock.toml is for another database product", "Point project.migrations at the right folder."),
}
NO_CODE = "Read what it said above, put that right, then start the step again."


def explained(words: str, said: Said, returncode: int) -> Problem:
    """What to tell of the command `words` that failed."""
    detail = "\n".join(said.error)
    what, advice = CODES.get(said.code, ("", NO_CODE))
    if not said.code:
        first = f": {said.error[0]}" if said.error else ""
        return Problem(f"{words} ended with {_status(returncode)}{first}.", advice=advice, detail=detail)
    named = next((line.removeprefix("error: ").rstrip(".") for line in said.error if line.startswith("error: ")), "")
    state = f" ({said.sqlstate or named})" if said.sqlstate or named else ""
    what = what or (said.error[0].rstrip(".") if said.error else "it failed")
    return Problem(f"Prisma stopped with {said.code}: {what}{state}.", advice=advice, code=said.code, detail=detail)


def _status(returncode: int) -> str:
    return f"exit status {returncode}" if returncode >= 0 else f"signal {-returncode}"
