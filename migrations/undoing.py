"""What stands beside a migration to undo it: a script, a text, or both; and why either cannot be used as it is."""

from typing import TYPE_CHECKING

from migrations.folder import Migration, problem_of

if TYPE_CHECKING:
    from migrations.sql import Model

LONGEST_TEXT = 64 * 1024
"""Bytes of a text. It stands in the plan itself, so that whoever reads the record has it."""


def wrong_with_script(migration: Migration, model: "Model") -> str:
    """Why a script that is to undo a migration does not, in words; empty where nothing is wrong with it."""
    if model.kind == "refused":
        return migration.problem or model.words
    return "there is no statement in it" if model.kind == "empty" else ""


def wrong_with_text(data: bytes) -> str:
    """The same of a text."""
    if problem := problem_of(data):
        return problem
    if not data.strip():
        return "it is empty"
    return f"it is longer than {LONGEST_TEXT // 1024} kB" if len(data) > LONGEST_TEXT else ""
