"""A draft as scripts: what it takes back and what not, in comments that stand beside the statements."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from migrations.drafting.compensation import Draft
from migrations.drafting.forth import texts
from migrations.drafting.skeleton import WIDTH
from migrations.drafting.staging import Cut, Part
from migrations.listed import many
from migrations.sql import actions as a
from migrations.sql.names import printable

HOLDS_ROWS = ("table", "foreign table", "column")
GONE = "What was written into it since goes with it."
EMPTY = "It comes back empty."
FILL = "Rows without a value make it fail: fill them first."
FIT = "Rows that do not fit make it fail."
MAYBE = "It was made only if it was not there: leave this out where it was."


def scripts(draft: Draft) -> list[str]:
    """The script of each migration of the draft, at least one."""
    cuts = draft.cuts or ((),)
    return ["\n".join([*_head(draft, number), *_body(cut)]) + "\n" for number, cut in enumerate(cuts)]


def _head(draft: Draft, number: int) -> Iterator[str]:
    count = len(draft.cuts)
    which = f", {number + 1} of {count}, to run in this order" if count > 1 else ""
    yield from _comment(f"Takes back {draft.name}{which}. A draft by gonogo, to be read before it runs.")
    if number:
        return
    if draft.left:
        yield from ("--", "-- Not taken back:")
    for one in draft.left:
        yield from _comment(f"line {one.line}, {one.what}: {one.why}", "  ")
    yield "--"
    yield from _comment(verdict(draft))
    for line in draft.differs:
        yield from _comment(line, "  ")
    if draft.trouble:
        yield from _comment(behind(draft))
    for line in held(draft):
        yield from _comment(line, "  ")


def held(draft: Draft) -> list[str]:
    """How it was held against a database, in words; nothing if it was not."""
    if not draft.beside:
        return []
    return [f"{draft.beside}{':' if draft.other else '.'}", *(f"  {line}" for line in draft.other)]


def verdict(draft: Draft) -> str:
    """How the draft was tried, in words."""
    where = f"on a throw-away PostgreSQL {draft.major}"
    if not draft.differs:
        also = f" It also runs behind {many(len(draft.later), 'migration')} that came later." * bool(
            draft.later and not draft.trouble
        )
        return f"Tried {where}: the schema is then as it was before {draft.name}.{also}"
    return f"Tried {where}: the schema is then not in all as it was before {draft.name}:"


def behind(draft: Draft) -> str:
    """Why it stops behind the migrations that came later, in words."""
    return f"It fails where {', '.join(draft.later)} came after it: {draft.trouble}. Take those back first."


def _body(cut: Cut) -> Iterator[str]:
    told: Sequence[object] = ()
    for part in cut:
        if part.stretch.statements is not told:
            told = part.stretch.statements
            what = "; ".join(statement.summary for statement in part.stretch.statements[:3])
            yield ""
            yield from _comment(f"{texts(part.stretch.statements)}: {what}")
        for note in _notes(part):
            yield from _comment(note)
        yield from (f"{statement};" for statement in part.statements)


def _notes(part: Part) -> Iterator[str]:
    about = part.about
    if about is None:
        return
    if about.before is None and not about.attribute:
        if about.kind in HOLDS_ROWS:
            yield GONE
        if any(_guarded(action) for statement in part.stretch.statements for action in statement.actions):
            yield MAYBE
    if about.after is None and about.kind in HOLDS_ROWS and not part.later:
        yield EMPTY
    if any("SET NOT NULL" in statement for statement in part.statements):
        yield FILL
    elif about.kind == "table":
        return
    elif any(" ADD CONSTRAINT " in text and not text.endswith("NOT VALID") for text in part.statements) or part.later:
        yield FIT


def _guarded(action: a.Action) -> bool:
    return bool(getattr(action, "if_not_exists", False))


def _comment(words: str, indent: str = "") -> list[str]:
    lines = wrap(printable(" ".join(words.split())), WIDTH, subsequent_indent=indent, break_long_words=False)
    return [f"-- {indent * (not n)}{line}" for n, line in enumerate(lines)]
