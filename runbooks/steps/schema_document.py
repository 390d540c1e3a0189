"""`schema.document`: the schema of the target, written as a document of the project."""

import asyncio
import contextlib
import difflib
import os
import tempfile
from pathlib import Path

from migrations.catalog import snapshot
from migrations.catalog.document import MARK, document
from migrations.listed import many
from migrations.problem import Problem, Unavailable
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.appending import MODE, place_in

SHOWN = 200
"""Lines of the difference."""


class Params(Frozen):
    """`file` is in the project's folder. `replace`: also a document that was not made by this step."""

    file: str = "docs/db/SCHEMA.md"
    replace: bool = False


class Result(Frozen):
    """`added` and `removed` lines; none of either where nothing has changed."""

    file: str
    added: int
    removed: int


async def run(ctx: Context, params: Params) -> Result:
    """Read the catalog and write the document, if anything in it has changed. Raises Misuse, Problem, Unavailable."""
    path = place_in(ctx.project.folder, params.file)
    before = await asyncio.to_thread(_read, path)
    if before is not None and not before.startswith(MARK) and not params.replace:
        raise Problem(
            f"{params.file} was not made by this step: it would be lost.",
            advice="Name another file, or say replace = true once what is in it may go.",
        )
    async with ctx.connect("read") as conn:
        text = ctx.clean(document(await snapshot(conn), f"Schema of {ctx.project.name}"))
    lines = list(
        difflib.unified_diff((before or "").splitlines(), text.splitlines(), "before", "now", lineterm="", n=1)
    )
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    if text != before:
        await asyncio.to_thread(_write, path, text)
    more = [f"and {many(len(lines) - SHOWN, 'line')} more"] if len(lines) > SHOWN else []
    await ctx.output("".join(f"{line}\n" for line in (*lines[:SHOWN], *more)))
    words = f"{many(added, 'line')} added, {removed} removed" if text != before else "as it was"
    ctx.check("document", "Schema document", "ok", f"{params.file}: {words}")
    return Result(file=params.file, added=added, removed=removed)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, text: str) -> None:
    """In its place at once, or not at all. Raises Unavailable."""
    place, made = path.resolve(), ""
    try:
        mode = place.stat().st_mode & 0o777 if place.exists() else MODE
        place.parent.mkdir(parents=True, exist_ok=True)
        file, made = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(file, mode)
            os.fsync(file)
        Path(made).replace(place)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(made).unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", advice="It stays as it was.") from None


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """The document is the old one or the new one, whole."""
    return Settled("stopped", "unknown", f"{params.file} is whole, and may be the one from before: it can run again")


def shows(params: Params) -> str:
    """The file that is written."""
    return f"writes {params.file} from the catalog of the target"


STEP = StepKind("Write the schema document", "outside", Params, run, shows, reconcile)
