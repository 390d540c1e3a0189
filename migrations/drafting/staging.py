"""Steps back, cut into migrations: what runs CONCURRENTLY by itself, what reads a whole table after the locks."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrations.catalog.diff import Difference
from migrations.drafting.back import Undone
from migrations.drafting.forth import Stretch
from migrations.drafting.inverse import Way
from migrations.rules import judge
from migrations.sql import read_script

SAFER = ("constraint-without-index",)
"""Rules whose safer form leads to the same catalog: a partition that is detached CONCURRENTLY gets another CHECK."""

_SWITCHES = re.compile(r" CONCURRENTLY\b| USING INDEX ")
_DROPPED = re.compile(r'ALTER TABLE (.+) DROP CONSTRAINT ("[^"]+_is_not_null")', re.DOTALL)
_VALIDATE = re.compile(r"ALTER TABLE (.+) VALIDATE CONSTRAINT (.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """Statements of one step that stay together. `later`: best after everything else, as it reads a whole table."""

    stretch: Stretch
    about: Difference | None
    statements: Way
    alone: bool = False
    later: bool = False


Cut = tuple[Part, ...]
"""One migration."""


def parts(undone: Iterable[Undone], *, at_once: bool = False) -> Iterator[Part]:
    """The steps, in safe forms where the table is in use; or as they can be in one transaction."""
    fresh: set[str] = set()
    for one in undone:
        for about, way in one.steps:
            if about and about.after is None and about.kind == "table":
                fresh.add(about.name)
            unused = about is not None and (about.name in fresh or about.of in fresh)
            for statements, alone, later in [(_plain(way), False, False)] if unused or at_once else _safe(way):
                yield Part(one.stretch, about, statements, alone, later)


def together(found: Iterable[Part]) -> list[Cut]:
    """In as few migrations as can be: what may come later is put off, until a name changes or to the end."""
    cuts: list[Cut] = []
    now: list[Part] = []
    later: list[Part] = []
    for part in found:
        if part.about is None and later:
            cuts += [*_runs(now), _last(later)]
            now, later = [], []
        (later if part.later else now).append(part)
    return [*cuts, *_runs(now), *([_last(later)] if later else [])]


def _last(later: list[Part]) -> Cut:
    """What goes through tables before what locks one."""
    return tuple(sorted(later, key=lambda part: not _reads(part.statements[0])))


def apart(found: Iterable[Part]) -> list[Cut]:
    """In their order, whatever it takes."""
    return list(_runs(found))


def _runs(found: Iterable[Part]) -> Iterator[Cut]:
    run: list[Part] = []
    for part in found:
        if run and (part.alone or run[-1].alone or part.later != run[-1].later):
            yield tuple(run)
            run = []
        run.append(part)
    if run:
        yield tuple(run)


def _plain(way: Way) -> Way:
    """For a table that nobody uses yet, or where there is one transaction: as few statements as can be."""
    proofs = [found for text in way if (found := _DROPPED.fullmatch(text)) and len(way) > 1]
    for table, proof in (found.groups() for found in proofs):
        way = tuple(text for text in way if not text.startswith(f"ALTER TABLE {table} ADD CONSTRAINT {proof} "))
        way = tuple(text for text in way if _VALIDATE.fullmatch(text) is None or not text.endswith(f" {proof}"))
        way = tuple(text for text in way if text != f"ALTER TABLE {table} DROP CONSTRAINT {proof}")
    validated = {(found[1], found[2]) for text in way if (found := _VALIDATE.fullmatch(text))}
    made = []
    for text in way:
        if _VALIDATE.fullmatch(text):
            continue
        for table, constraint in validated:
            if text.startswith(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} "):
                text = text.removesuffix(" NOT VALID")
        made.append(text.replace("INDEX CONCURRENTLY ", "INDEX "))
    return tuple(made)


def _safe(way: Way) -> Iterator[tuple[Way, bool, bool]]:
    """Statements that stay together, whether they must stand alone, and whether they may come later."""
    run: list[str] = []
    later = False
    for text in way:
        steps = _by_themselves(text)
        if steps and run:
            yield tuple(run), False, later
            run = []
        if steps:
            yield from steps
        else:
            run.append(text)
        later = later or _reads(text)
    if run:
        yield tuple(run), False, later


def _reads(text: str) -> bool:
    """Whether it goes through a whole table, and keeps neither readers nor writers from it."""
    return _VALIDATE.fullmatch(text) is not None


def _by_themselves(text: str) -> list[tuple[Way, bool, bool]]:
    """What stays apart from other statements; nothing if it need not."""
    if _reads(text) or "INDEX CONCURRENTLY " in text:
        return [((text,), not _reads(text), _reads(text))]
    return [((one,), " CONCURRENTLY" in one, False) for one in _safer(text)]


def _safer(text: str) -> list[str]:
    """The form that a rule would ask for; nothing where none does. Proofs that nothing is null are left to others."""
    found = (finding.safer_sql for finding in judge(read_script(text)) if finding.rule in SAFER)
    statements = (statement.text for statement in read_script(next(found, "")).statements)
    return [one for one in statements if _SWITCHES.search(one)]
