"""What `gonogo resolve` is about to do to a ledger, before it does it; and the runbook of the session that does it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from migrations.doctor.reading import wished_traces
from migrations.doctor.wish import Wish, changes_for, objections, seen
from migrations.ledger.marking import Change
from migrations.problem import Misuse
from migrations.target import Pinned
from runbooks.ledger.examined import Examined, examine_alone
from runbooks.settings.project import Environment, Project

NAME = "resolve"


@dataclass(frozen=True, slots=True)
class Looked:
    """What is there, before anything is decided. `protected`: by its name, or by the database's own mark."""

    target: Pinned
    found: Examined
    protected: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be written, what stands against it, and what tells that all is still as it was looked at."""

    wish: Wish
    changes: tuple[Change, ...]
    against: tuple[str, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class Fitting:
    """The `last` migration that the catalog speaks for, and none before it does it speak against.

    `blind`: of these, before it or next after it, the catalog shows nothing either way.
    """

    last: str | None
    blind: tuple[str, ...]

    @property
    def words(self) -> str:
        """For a person who is to say which is the last."""
        if self.last is None and not self.blind:
            return "The catalog has not even the first."
        shown = f"Nothing speaks against those up to {self.last}" if self.last else "The catalog shows none of them"
        return f"{shown}; not shown: {', '.join(self.blind)}." if self.blind else f"{shown}."


async def look(project: Project, environment: Environment, environ: Mapping[str, str]) -> Looked:
    """Read everything. Raises Misuse, Problem or Unavailable."""
    target, found, mark = await examine_alone(project, environment, environ, name="gonogo resolve")
    marked = project.environments.get(mark or "")
    return Looked(target, found, environment.protected or (marked is not None and marked.protected))


async def propose(looked: Looked, wish: Wish) -> Proposal:
    """The rows that a wish comes to, and what the catalog has against it. Raises Problem if it cannot be."""
    facts = looked.found.facts
    changes = changes_for(wish, facts)
    connection = await looked.target.open("read", application_name="gonogo resolve")
    try:
        traces = await wished_traces(connection, wish, facts)
    finally:
        await connection.close()
    return Proposal(wish, changes, objections(wish, facts, traces), seen(facts))


def document(environment: Environment, proposal: Proposal, *, anyway: bool) -> str:
    """The runbook of the session: one step."""
    wish = proposal.wish
    params = {
        "applied": list(wish.applied),
        "rolled_back": list(wish.rolled_back),
        "baseline": wish.baseline,
        "one_row": list(wish.one_row),
        "seen": proposal.seen,
        "anyway": anyway,
        "ask": True,
    }
    lines = [f"{key} = {_toml(value)}" for key, value in params.items() if value not in (None, [])]
    steps = "\n".join(("```toml step", 'id = "resolve"', 'uses = "ledger.resolve"', *lines, "```"))
    phases = ("## Backup", "## Preflight", f"## Migrate\n\n{steps}", "## Verify", "## Deploy", "## Smoke")
    head = f'# The ledger of {environment.name}\n\n```toml runbook\nname = "{NAME}"\n```'
    return "\n\n".join((head, *phases)) + "\n"


def _toml(value: object) -> str:
    """JSON's strings, lists and booleans are TOML's, but for the escape of a character beyond the first plane."""
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if "${" in text:
        raise Misuse("A name with ${ in it cannot be resolved here.", advice="Use `prisma migrate resolve` for it.")
    return text


async def fitting(looked: Looked) -> Fitting:
    """Up to where the catalog speaks for the scripts. Where it shows nothing of one, it may never have run."""
    facts = looked.found.facts
    if not facts.scripts:
        return Fitting(None, ())
    connection = await looked.target.open("read", application_name="gonogo resolve")
    try:
        traces = await wished_traces(connection, Wish(baseline=list(facts.scripts)[-1]), facts)
    finally:
        await connection.close()
    last, blind = None, list[str]()
    for name in facts.scripts:
        if name not in facts.live and (name not in traces or traces[name].which("not there", "partly")):
            break
        if name in facts.live or traces[name].which("there"):
            last = name
        else:
            blind.append(name)
    return Fitting(last, tuple(blind))
