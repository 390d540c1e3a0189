"""Squawk's findings beside ours, where Squawk is installed. They are a second opinion: notes, marked as Squawk's."""

import json
import os
import shutil
import sysconfig
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from migrations.asking import ask
from migrations.finding import Finding
from migrations.problem import Problem
from runbooks.check.report import Checked, More, Remark, Report
from runbooks.check.sources import File

SQUAWK = "squawk"
PAGE = "https://squawkhq.com/docs/{rule}"
AT_ONCE = 400
"""Files for one call, so that its command line does not become too long."""

TASTE = frozenset(
    """
    prefer-bigint-over-int prefer-bigint-over-smallint prefer-identity prefer-repack prefer-robust-stmts
    prefer-text-field prefer-timestamp-tz require-lock-timeout require-statement-timeout require-timeout-settings
    """.split()  # noqa: SIM905
)
"""Matters of taste, and what gonogo does by itself: it sets the timeouts, and runs no script twice."""

SAME = {
    "adding-field-with-default": ("add-column-volatile-default", "add-column-generated"),
    "adding-foreign-key-constraint": ("add-foreign-key", "add-column-references"),
    "adding-not-nullable-field": ("not-null-on-existing",),
    "adding-required-field": ("add-column-not-null",),
    "adding-serial-primary-key-field": ("add-column-serial", "constraint-without-index"),
    "ban-concurrent-index-creation-in-transaction": ("concurrently-among-others", "concurrently-in-transaction"),
    "ban-create-domain-with-constraint": ("add-column-checked-domain",),
    "ban-alter-domain-with-add-constraint": ("domain-constraint-without-not-valid",),
    "ban-drop-column": ("column-drop", "column-rename-as-drop-and-add", "column-recreated"),
    "ban-drop-not-null": ("drop-not-null",),
    "ban-drop-table": ("table-drop", "table-recreated", "table-rename-as-drop-and-create"),
    "ban-truncate-cascade": ("truncate", "truncate-cascade"),
    "ban-uncommitted-transaction": ("begin-without-commit",),
    "changing-column-type": ("column-type-change",),
    "constraint-missing-not-valid": (
        *("add-foreign-key", "add-check-without-not-valid", "add-column-references"),
        "validate-in-same-transaction",
    ),
    "disallowed-unique-constraint": ("constraint-without-index",),
    "identifier-too-long": ("identifier-too-long",),
    "renaming-column": ("rename",),
    "renaming-table": ("rename",),
    "require-concurrent-index-creation": ("index-without-concurrently",),
    "require-concurrent-index-deletion": ("index-drop-without-concurrently",),
    "require-concurrent-partition-detach": ("partition-detach-without-concurrently",),
    "require-concurrent-reindex": ("reindex-without-concurrently",),
    "transaction-nesting": ("begin-without-commit", "commit-without-begin"),
}
"""Which of our rules say the same. Where one of them has spoken of a statement, Squawk's finding is left out."""


def squawk(files: Sequence[File], report: Report) -> More:
    """What Squawk finds in the scripts; nothing where it is not installed."""
    program = find()
    if program is None:
        return More()
    texts = {file.path: file for file in files if file.migration.data is not None and file.migration.problem is None}
    rows, mute = _rows(program, list(texts))
    checked = {script.path: script for script in report.scripts}
    remarks = [remark for path, row in rows if (remark := _remark(path, row, checked[path]))]
    told = _told(report)
    fresh = [remark for remark in remarks if not _said(remark, told)]
    broken = {path for path, row in rows if row["rule_name"] == "syntax-error"} | mute
    names = sorted(checked[path].name for path in broken)
    words = tuple(f"{name}, by Squawk, which cannot read it" for name in names)
    return More(remarks=tuple(fresh), not_checked=words)


def find() -> str | None:
    """Squawk's program: the one beside our own Python first."""
    return shutil.which(SQUAWK, path=sysconfig.get_path("scripts")) or shutil.which(SQUAWK)


Row = tuple[Path, dict[str, Any]]


def _rows(program: str, paths: Sequence[Path]) -> tuple[list[Row], set[Path]]:
    """What it says of the files, and those that it says nothing of because it fails on them."""
    plain = [path for path in paths if not set("*?[]{}!") & set(str(path))]
    batches = [plain[start : start + AT_ONCE] for start in range(0, len(plain), AT_ONCE)]
    batches += [[path] for path in paths if path not in set(plain)]
    rows: list[Row] = []
    mute: set[Path] = set()
    for batch in batches:
        said = _ask(program, batch)
        if said is None and len(batch) > 1:
            for path in batch:
                alone = _ask(program, [path])
                rows += alone or []
                mute |= {path} if alone is None else set()
        elif said is None:
            mute |= set(batch)
        else:
            rows += said
    return rows, mute


def _ask(program: str, batch: Sequence[Path]) -> list[Row] | None:
    """One call; None if it is not answered in JSON. A single file goes in by standard input: its name is no pattern."""
    stdin = batch[0].read_bytes() if len(batch) == 1 else b""
    words = ["--stdin-filepath", str(batch[0])] if len(batch) == 1 else [str(path) for path in batch]
    try:
        said = ask(
            [program, "--reporter", "json", "--assume-in-transaction", *words],
            cwd=batch[0].parent,
            env=os.environ,
            stdin=stdin,
        )
        found = json.loads(said.out)
    except (Problem, ValueError):
        return None
    return [(Path(row["file"]), row) for row in found]


def _remark(path: Path, row: Mapping[str, Any], script: Checked) -> Remark | None:
    rule, line = str(row["rule_name"]), int(row["line"]) + 1
    if rule in TASTE or rule == "syntax-error":
        return None
    finding = Finding(
        rule=rule,
        severity="note",
        statement=max(0, bisect_right(script.lines, line) - 1),
        line=line,
        message=str(row["message"]),
        instead=str(row["help"] or ""),
        source=PAGE.format(rule=rule),
    )
    return Remark(path, finding, SQUAWK)


def _told(report: Report) -> set[tuple[Path, int, str]]:
    return {(remark.path, remark.finding.statement, remark.finding.rule) for remark in report.remarks}


def _said(remark: Remark, told: set[tuple[Path, int, str]]) -> bool:
    ours = SAME.get(remark.finding.rule, ())
    return any((remark.path, remark.finding.statement, code) in told for code in ours)
