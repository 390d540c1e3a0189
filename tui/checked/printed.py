"""A report in the form that was asked for. Each is imported when it is."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from runbooks.check.report import Report

if TYPE_CHECKING:
    from runbooks.check.impact import Facts

Form = Literal["text", "json", "sarif", "github", "pr"]
COLOURS = {"stop": "red", "warn": "yellow", "note": "cyan"}


def printed(report: Report, facts: "tuple[Facts, ...]", form: Form, code: int) -> Iterator[str]:
    """The report in one of its forms."""
    match form:
        case "json":
            from tui.checked.as_json import report_json

            yield report_json(report, version("gonogo"), code)
        case "sarif":
            from tui.checked.sarif import report_sarif

            yield report_sarif(report, version("gonogo"))
        case "github":
            from tui.checked.github import annotations

            yield from annotations(report)
        case "pr":
            from tui.checked.markdown import report_markdown

            yield "\n\n".join(report_markdown(report, facts))
        case "text":
            from tui.checked.text import report_lines

            yield from report_lines(report, Path.cwd().resolve(), painter(), width())


def painter() -> Callable[[str, str], str]:
    """Colour on a terminal that wants it."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return lambda text, severity: text
    return lambda text, severity: click.style(text, fg=COLOURS[severity], bold=severity == "stop")


def width() -> int:
    """How wide lines may be."""
    return max(60, min(100, shutil.get_terminal_size((100, 24)).columns)) if sys.stdout.isatty() else 100
