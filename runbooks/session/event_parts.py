"""What events hold: who, on what, with which plan, and what came of it. `events` gives all of these on."""

from typing import Literal

from pydantic import Field

from runbooks.session.frozen import Frozen

Outcome = Literal["ok", "warn", "fail", "unknown"]
End = Literal["done", "failed", "declined", "stopped", "crashed"]


class By(Frozen):
    """Who: a claimed name, and beside it what the machine knows."""

    name: str
    os_user: str
    host: str
    ssh: str | None = None
    how: Literal["keys", "answers", "command", "engine"] = "keys"


class Check(Frozen):
    """One line of a step's result."""

    id: str
    title: str
    outcome: Outcome
    evidence: str = ""
    advice: str = ""


class Failure(Frozen):
    """Why a step did not do what it was for. `detail` is the server's or the program's own words."""

    what: str
    advice: str = ""
    code: str = ""
    detail: str = ""


class Took(Frozen):
    """How long a step took, in microseconds, and in which session."""

    session: str
    us: int = Field(ge=0)


class LeftOpen(Frozen):
    """What a step of an earlier session switched on, and its `undo` has not been seen to undo since."""

    session: str
    step: str
    title: str
    undo: str
    undo_title: str
    at: str


class Previous(Frozen):
    """The session before this one on the same environment, and the hash of its last record.

    `took`: by step, the last time that it ended well on this environment, as it stands in this session's runbook.
    `left_open`: what it left so, or one before it did.
    """

    session: str
    head: str
    took: dict[str, Took] = {}
    left_open: tuple[LeftOpen, ...] = ()


class Tried(Frozen):
    """A way back as it was last taken on the environment beside, from time `at` on.

    `ended`: to its end. `us`: what its steps took together, in microseconds. `same`: they were written as now.
    """

    environment: str
    session: str
    at: str
    ended: bool
    us: int = Field(ge=0)
    same: bool


class Git(Frozen):
    """The commit that the project's folder is at, and whether anything differs from it."""

    commit: str
    clean: bool


class AnswersFile(Frozen):
    """The answers that a headless session was given, written by a person beforehand."""

    file: str
    sha256: str


class Target(Frozen):
    """The database that the session is pinned to. 64-bit numbers are strings."""

    address: str
    system_identifier: str
    database: str
    oid: str
    in_recovery: bool
    postmaster_start: str
    timeline: str
    server_version: str

    @property
    def fingerprint(self) -> str:
        """What `fingerprint =` in gonogo.toml holds."""
        return f"{self.system_identifier}/{self.database}"


class Finding(Frozen):
    """What a rule says of one statement (its index in the script, from 0).

    `instead`: what to do, in words; `safer_sql`: as SQL. `allowed`: the reason that the script itself gives for it.
    `live`: found only because of what the target holds; the plan's hash does not cover it.
    """

    rule: str
    severity: Literal["stop", "warn", "note"]
    statement: int
    line: int
    message: str
    loses_data: bool = False
    lock: str = ""
    blocks: str = ""
    tables: tuple[str, ...] = ()
    instead: str = ""
    source: str = ""
    safer_sql: str = ""
    allowed: str = ""
    live: bool = False


class Touch(Frozen):
    """What a statement does to one relation that others use. `work` as in migrations.locks.

    `least` and `most` are microseconds under the lock, guessed from the relation's size; None where nothing is known.
    """

    relation: str
    lock: str
    blocks: str = ""
    work: str = "brief"
    least: int | None = None
    most: int | None = None


class Statement(Frozen):
    """One statement of a script. `start` and `end` are offsets in characters; `line` counts from 1.

    `why_not`: why it could not be analysed. `alone`: it cannot be in a transaction.
    """

    line: int
    start: int
    end: int
    summary: str
    analysed: bool = True
    why_not: str = ""
    alone: bool = False
    touches: tuple[Touch, ...] = ()


class Claim(Frozen):
    """A statement of a verify.sql, which must be true once the migration is applied."""

    line: int
    text: str


class Verify(Frozen):
    """The verify.sql beside a script, as it was read once. `wrong`: why it cannot be asked, each with its line.

    `more` statements are there than `claims` are told. `copy_sha256` as in a script.
    """

    sha256: str
    copy_sha256: str = ""
    claims: tuple[Claim, ...] = ()
    more: int = 0
    wrong: tuple[str, ...] = ()


class Script(Frozen):
    """One pending script, as it was read once. `model` says how it will be run: see migrations.sql; `model_words` why.

    `kept`: from where on a failure leaves something committed. `prisma`: what Prisma would do differently with it.
    Where there is no migration.sql, `sha256` is empty. `copy_sha256`: of the copy in the session's folder, where
    secrets are taken out of it; empty where the copy is the script itself. Offsets and lines are those of the copy.
    `rollback`: what stands beside it to undo it.
    """

    migration: str
    sha256: str
    copy_sha256: str = ""
    size: int
    model: str
    model_words: str = ""
    kept: str = ""
    prisma: str = ""
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...] = ()
    verify: Verify | None = None
    rollback: "Rollback | None" = None

    @property
    def loses_data(self) -> bool:
        """Whether a rule says so of one of its statements, whatever the script allows itself."""
        return any(finding.loses_data for finding in self.findings)


class Rollback(Frozen):
    """The way back that stands beside a script. `script`: its rollback.sql, called by the folder and that name.

    `text` is its rollback.md, with the SHA-256 of its bytes. `wrong`: why one of them cannot be used, after its name.
    """

    script: Script | None = None
    text: str = ""
    text_sha256: str = ""
    wrong: tuple[str, ...] = ()


class Table(Frozen):
    """A relation of the target that the scripts touch, as it was when the plan was made. None: not known."""

    name: str
    rows: int | None = None
    bytes: int | None = None
    words: tuple[str, ...] = ()


class Runner(Frozen):
    """The team's own command that applies the scripts: Prisma of a `version`, chosen by `why`.

    `way` is how that version runs a script, as the parameter `model` calls it.
    """

    command: str
    version: str
    why: str
    way: Literal["prisma-7.3", "prisma-7.4"]

    @property
    def words(self) -> str:
        """In one line."""
        return f"{self.command} (Prisma {self.version}, by {self.why})"


class Applied(Frozen):
    """A migration that the ledger has as applied, and the SHA-256 of the script that was run. `at`: when it ended."""

    migration: str
    sha256: str
    at: str = ""


class Emergency(Frozen):
    """Why a session goes without approvals, and until which day (YYYY-MM-DD) it is to be reviewed."""

    reason: str
    review_by: str


class Approver(Frozen):
    """Who said yes to a plan, by the name that the file of signers gives to the key, and when by their own clock.

    `sha256` is that of the approval's bytes, `comment` what they wrote beside it.
    """

    principal: str
    key: str
    at: str
    file: str
    sha256: str
    comment: str = ""


class Approval(Frozen):
    """The approvals that a session stands on. `document` is the SHA-256 of the plan document that was approved.

    `signers` is where the names and keys are from, `commit` the commit that this is of, if of one.
    """

    needed: int
    number: str
    document: str
    expires_at: str
    requester: str
    requester_key: str = ""
    operator_key: str = ""
    signers: str
    signers_sha256: str
    commit: str = ""
    approvers: tuple[Approver, ...]
