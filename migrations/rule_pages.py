"""A page for each rule, made from the rule itself: for docs/rules, and for whoever asks what a finding means.

`python -m migrations.rule_pages FOLDER` writes them all.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from migrations.rules import Rule, rules
from migrations.sql import read_script

INDEX = "README.md"
OLDEST = 13
"""The first major that gonogo works with."""
_SEVERITY = {"stop": "stop", "warn": "warning", "note": "note"}


def pages() -> dict[str, str]:
    """Every page, by the name of its file."""
    return {INDEX: index(), **{f"{rule.code}.md": page(rule) for rule in rules()}}


def index() -> str:
    """All rules, with a link to the page of each."""
    asked = ", if asked for"
    rows = [
        f"| [{rule.code}]({rule.code}.md) | {_SEVERITY[rule.severity]}{asked * rule.taste} | {rule.title} |"
        for rule in rules()
    ]
    return _joined(
        "# Rules",
        "What the review of a script finds. [What statements do](../statements.md) tells what each kind of statement\n"
        "locks, and which rules look at it. These pages are made from the rules by `make rule-pages`.",
        "| rule | severity | what it finds |\n|---|---|---|\n" + "\n".join(rows),
    )


def page(rule: Rule) -> str:
    """One rule: what it finds, why that matters, what is proven of it, and what to write instead."""
    why = import_module(f"migrations.rules.{rule.code.replace('-', '_')}").__doc__ or ""
    return _joined(
        f"# {rule.code}",
        f"{rule.title}.",
        " ".join(why.split()),
        "\n".join(f"- {fact}" for fact in _facts(rule)),
        f"## The risk\n\n{_sql(rule.risky)}",
        f"## The safer form\n\n{_sql(rule.safer)}",
        f"{_proven(rule)}, after\n\n{_sql(rule.setup)}",
        "## To allow it\n\nWrite the reason above the statement; it is shown in the review and in the transcript.\n\n"
        f"```sql\n-- gonogo: allow {rule.code} because …\n```",
        f"Source: <{rule.source}>",
    )


def _facts(rule: Rule) -> Iterator[str]:
    yield _weight(rule)
    if rule.taste:
        yield "It is a matter of taste, and silent unless `also` in [the project's file](../project.md) names it."
    if rule.look:
        yield (
            "It is found on a target only: without a database, nothing tells."
            if rule.only_live
            else ("With a database at hand, what the target holds is looked at, too.")
        )
    if rule.lock:
        yield f"It takes {rule.lock} on the table, which blocks {rule.blocks or 'nobody'}."
    if rule.rewrites:
        yield "The server writes the whole table anew."
    if rule.loses_data:
        yield "Data are lost."
    if rule.fails:
        yield f"The server may refuse it, with SQLSTATE {rule.fails}."
    if rule.supersedes:
        others = " and ".join(f"[{code}]({code}.md)" for code in rule.supersedes)
        yield f"Where it is found, {others} {'go' if len(rule.supersedes) > 1 else 'goes'} without saying."


def _weight(rule: Rule) -> str:
    """How severe it is, and whether the target moves that."""
    words = f"Severity: {_SEVERITY[rule.severity]}"
    if rule.loses_data or not rule.lock or rule.breaks or rule.fails:
        return f"{words}."
    return f"{words}; with a database at hand, [by the size of its table](../project.md#review)."


def _proven(rule: Rule) -> str:
    both = rule.lock or rule.rewrites or rule.fails
    words = f"{'Both are' if both else 'This is'} run on a real server, by `make proof` and by the tests"
    return f"{words}, from PostgreSQL {rule.since} on" if rule.since > OLDEST else words


def _sql(text: str) -> str:
    script = read_script(text)
    statements = [text[statement.start : statement.end] for statement in script.statements]
    before = text[: script.statements[0].start] if script.statements else ""
    return "```sql\n" + before + ";\n".join(statements) + ";\n```"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def write(folder: Path) -> None:
    """Write all pages into a folder, and delete those of rules that are no more."""
    made = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (folder / name).write_text(text)
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
