"""Statements of a script: where they stand, what they do, how they can be run."""

from importlib import import_module

from migrations.sql.actions import Action
from migrations.sql.facts import Facts
from migrations.sql.model import Model, ModelKind, Way, execution_model
from migrations.sql.names import Name
from migrations.sql.pieces import Piece, cut_in_doubt
from migrations.sql.script import Fault, Script, Statement
from migrations.sql.split import lines_at

__all__ = [
    "Action",
    "Facts",
    "Fault",
    "Model",
    "ModelKind",
    "Name",
    "Piece",
    "Script",
    "Statement",
    "Way",
    "cut_in_doubt",
    "execution_model",
    "read_script",
]


def read_script(text: str) -> Script:
    """The statements of a script, with what each one does. Any text gives a script: what is wrong is in `error`."""
    nul = text.find("\0")
    if nul >= 0:
        return Script(text, (), Fault("a NUL byte ends the script for PostgreSQL", lines_at(text, [nul])[0], nul))
    try:
        import_module("postgast")  # not to be had on every machine, and slow to load
    except (ImportError, OSError):
        return Script(text, (), Fault("PostgreSQL's grammar (postgast) is not installed on this machine", 1, 0))
    from migrations.sql.analysis import analyse

    return analyse(text)
