"""What a rule is, and what it says of a statement."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from migrations.finding import Finding as Finding
from migrations.finding import Severity as Severity
from migrations.impact.foreseen import Foreseen
from migrations.locks import Lock
from migrations.rules.situation import Situation
from migrations.sql import Action, Name, Statement


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found. `severity`, `loses_data`: where this case differs from its rule. `subject` is what it is
    about, to tell two findings on one statement apart (`orders.legacy_code`)."""

    message: str
    tables: tuple[Name, ...] = ()
    subject: str = ""
    instead: str = ""
    safer_sql: str = ""
    severity: Severity | None = None
    loses_data: bool | None = None


DOUBT = "; this matters only where the table was there before the script"
"""What is said of a table that CREATE TABLE IF NOT EXISTS may have made."""

Check = Callable[[Statement, Situation], Iterable[Found]]
Look = Callable[[Statement, Situation, Foreseen], Iterable[Found]]


def nothing(statement: Statement, seen: Situation) -> Iterable[Found]:
    """The check of a rule that only looks at whole scripts."""
    return ()


def _in_doubt(found: Found, seen: Situation) -> bool:
    """All that it is about may have been made by the script."""
    doubtful = [seen.is_perhaps_new(table) for table in found.tables]
    return any(doubtful) and all(maybe or seen.is_new(t) for t, maybe in zip(found.tables, doubtful, strict=True))


def _doubted(finding: Finding) -> Finding:
    return replace(finding, severity="note", message=finding.message + DOUBT, if_there=finding.severity)


@dataclass(frozen=True, slots=True)
class Rule:
    """One risk, and its proof. `code` is its file's name with dashes, and names the bad pattern.

    The proof: after `setup`, `risky` takes `lock` on table `t`, writes it anew if it `rewrites`, and fails with the
    SQLSTATE `fails` if there is one; `safer` succeeds, and this rule says nothing of it. `source` is where it is
    documented. A finding of a rule in `supersedes`, with the same statement and subject, gives way to this one's.
    `taste`: a matter of taste, silent unless it is asked for. `breaks`: it does harm on a table of any size, apart
    from its lock. `look` finds what only the target can tell. `since`: the first major of PostgreSQL that knows both
    forms. `about`: the actions without one of which `check` finds nothing in a statement; empty if it looks at all.
    """

    code: str
    title: str
    severity: Severity
    setup: str
    risky: str
    safer: str
    source: str
    lock: Lock | None = None
    blocks: str = ""
    loses_data: bool = False
    rewrites: bool = False
    fails: str | None = None
    supersedes: tuple[str, ...] = ()
    taste: bool = False
    breaks: bool = False
    since: int = 13
    check: Check = nothing
    look: Look | None = None
    about: tuple[type[Action], ...] = ()

    @property
    def only_live(self) -> bool:
        """Nothing is found without a target."""
        return self.look is not None and self.check is nothing

    def judge(self, statement: Statement, seen: Situation) -> Iterator[Finding]:
        """Every finding of this rule on one statement."""
        for found in self.check(statement, seen):
            finding = self._finding(statement, found)
            yield finding if finding.loses_data or not _in_doubt(found, seen) else _doubted(finding)

    def judge_live(self, statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Finding]:
        """What this rule finds only because of what the target holds when the statement's turn comes."""
        for found in self.look(statement, seen, foreseen) if self.look else ():
            yield replace(self._finding(statement, found), live=True)

    def _finding(self, statement: Statement, found: Found) -> Finding:
        return Finding(
            rule=self.code,
            severity=found.severity or self.severity,
            statement=statement.index,
            line=statement.line,
            message=found.message,
            loses_data=self.loses_data if found.loses_data is None else found.loses_data,
            lock=self.lock or "",
            blocks=self.blocks,
            tables=tuple(str(table) for table in found.tables),
            instead=found.instead,
            source=self.source,
            subject=found.subject,
            rewrites=self.rewrites,
            safer_sql=found.safer_sql,
        )
