"""What there is to say of files before anybody reads their statements."""

import re
from collections.abc import Iterator
from pathlib import Path

from migrations.folder import LOCK_FILE, PROVIDER, ROLLBACK, ROLLBACK_TEXT, SCRIPT, VERIFY, provider_in
from migrations.undoing import wrong_with_script, wrong_with_text
from runbooks.check import matters as m
from runbooks.check.report import Remark
from runbooks.check.sources import File

_LINE = re.compile(r"\(line (\d+)\)")
KEPT = (LOCK_FILE, "README.md", ".gitkeep", ".DS_Store")


def about_folder(folder: Path) -> Iterator[Remark]:
    """What stands beside the migrations: the lock file, and what is never applied."""
    lock = folder / LOCK_FILE
    line, provider = provider_in(lock) or (-1, "")
    if line < 0:
        yield m.LOCK.remark(lock, "it is missing", severity="note")
    elif line == 0:
        yield m.LOCK.remark(lock, "it names no provider", severity="warn")
    elif provider != PROVIDER:
        yield m.LOCK.remark(lock, f"these migrations are for {provider or 'no database'}, not {PROVIDER}", line=line)
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() and entry.is_dir():
            yield m.STRAY.remark(entry, "a link to a folder, which Prisma does not follow")
        elif not entry.is_dir() and entry.suffix.lower() == ".sql":
            yield m.STRAY.remark(entry, f"a script outside a folder of its own: only NAME/{SCRIPT} is applied")


def about_file(file: File) -> Iterator[Remark]:
    """What is wrong with the bytes of a script."""
    if file.migration.data is None:
        others = sorted(entry.name for entry in file.migration.path.iterdir())
        there = f"; there is {', '.join(others[:3])}" if others else ""
        words = f"{SCRIPT} in it is no file" if SCRIPT in others else f"no {SCRIPT} in it{there}"
        yield m.WITHOUT_SCRIPT.remark(file.migration.path, words)
    elif problem := file.migration.problem:
        line = _LINE.search(problem)
        words = problem.removesuffix(line[0]).rstrip() if line else problem
        yield m.ENCODING.remark(file.path, words, line=int(line[1]) if line else 1)


def about_verify(file: File) -> Iterator[Remark]:
    """What is wrong with the verify.sql beside a script."""
    if file.migration.verify is not None:
        from migrations.verify_sql import read_claims  # slow to load, and few scripts have one

        for wrong in read_claims(file.migration.verify).wrong:
            yield m.VERIFY.remark(file.migration.path / VERIFY, wrong.words, line=wrong.line)


def about_rollback(file: File) -> Iterator[Remark]:
    """What is wrong with the script or the text beside a script that is to undo it."""
    migration = file.migration
    if migration.rollback_text is not None and (words := wrong_with_text(migration.rollback_text)):
        yield m.ROLLBACK.remark(migration.path / ROLLBACK_TEXT, words)
    if migration.reverse is not None:
        from migrations.sql import execution_model, read_script  # slow to load, and few scripts have one

        model = execution_model(read_script(migration.reverse.text), "safe")
        if words := wrong_with_script(migration.reverse, model):
            yield m.ROLLBACK.remark(migration.path / ROLLBACK, words)


def readable(file: File) -> str | None:
    """The text to judge, without a byte order mark; None where there is none."""
    data = file.migration.data
    if data is None or data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        return None
    return file.migration.text.removeprefix("\ufeff")
