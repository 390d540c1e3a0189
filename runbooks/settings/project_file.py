"""The reader of gonogo.toml: every fault with its line, no connection string ever repeated."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from migrations.naming import convention
from migrations.problem import Misuse
from migrations.sql.redact_list import is_column
from runbooks.library import shipped
from runbooks.session.runbook import CONDITIONS
from runbooks.session.windows import EXPECTED as EXPECTED_WINDOW
from runbooks.session.windows import read_window
from runbooks.settings.durations import EXPECTED, duration
from runbooks.settings.faults import Fault, Faults, ProjectError
from runbooks.settings.nearest import nearest
from runbooks.settings.project import FILE, Environment, Log, Project, Review
from runbooks.settings.toml_text import KeyLines, TomlError, read_toml

REVIEW_KEYS = tuple(field.name for field in fields(Review))
DRIFT_KEYS = ("ignore",)
PROJECT_KEYS = ("name", "migrations", "naming", "secrets", "redact", "sessions", "dumps", "group")
ENVIRONMENT_KEYS = tuple(field.name for field in fields(Environment) if field.name != "name")
COMMANDS = ("run", "backup", "resolve")
"""What begins a session, as `allowed` names it."""
NAMINGS = ("prisma", "dashed", "date")

T = TypeVar("T", bound=str)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_SIGNERS_FROM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*:[^:\0]+", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9]{1,20}/.+", re.ASCII)
_CONNECTION = re.compile(r"(?i)\b(?:postgres(?:ql)?|prisma(?:\+postgres)?)://|://[^/\s?#]*:[^/\s?#]*@|\bpassword\s*=")
_HIDDEN = "a connection string, or a password in an address, stands in this file"


def read_project(path: Path) -> Project:
    """The project of a gonogo.toml. Raises ProjectError with all its faults, or Misuse if it cannot be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Misuse(f"There is no {path}.", advice="docs/project.md says how to write one.") from None
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}.", advice="Check what it is.") from None
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        table = read_toml(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProjectError(FILE, [Fault(line, "a byte here is not UTF-8", "the file saved as UTF-8")]) from None
    except TomlError as error:
        raise ProjectError(FILE, [Fault(error.line, f"this is not TOML: {error.what}")]) from None
    reader = _Reader(text, path.absolute().parent)
    project = reader.project(table, hashlib.sha256(data).hexdigest())
    if reader.faults.found or project is None:
        raise ProjectError(FILE, reader.faults.found)
    return project


class _Table:
    """One table of the file, its values taken by type."""

    def __init__(self, values: Mapping[str, Any], line_of: KeyLines, faults: Faults) -> None:
        self.values = values
        self.line_of = line_of
        self.faults = faults

    def text(self, key: str, right: Callable[[str], bool], expected: str) -> str | None:
        """A text that is right; others are noted, and not shown, since they may hold a secret."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str) and _CONNECTION.search(value):
            return None
        if isinstance(value, str) and right(value):
            return value
        self.faults.add(self.line_of(key), f"`{key}` is not right", expected)
        return None

    def length(self, key: str, usual: timedelta) -> timedelta:
        """A length of time; `usual` where it is not given or not right."""
        text = self.text(key, _is_length, EXPECTED)
        return usual if text is None else duration(text)

    def length_if(self, key: str) -> timedelta | None:
        """A length of time, or None."""
        text = self.text(key, _is_length, EXPECTED)
        return None if text is None else duration(text)

    def number(self, key: str, least: int, most: int, usual: int) -> int:
        """A whole number; `usual` where it is not given or not right."""
        value = self.values.get(key, usual)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.faults.add(self.line_of(key), f"`{key}` is not right", f"a number from {least} to {most}")
        return usual

    def flag(self, key: str) -> bool:
        """True or false; false where it is not given."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.faults.add(self.line_of(key), f"`{key}` is not right", "`true` or `false`, without quotes")
        return value is True


class _Reader:
    def __init__(self, text: str, folder: Path) -> None:
        self.text = text
        self.folder = folder
        self.faults = Faults()

    def project(self, table: dict[str, Any], sha256: str) -> Project | None:
        top = KeyLines(self.text)
        self.faults.unknown_keys(table, ("project", "review", "drift", "environments"), top)
        self._connection_strings(table)
        own = self._table(table.get("project", {}), "project", PROJECT_KEYS)
        name = own.text("name", bool, "a name in quotes") or ""
        if "name" not in own.values:
            self.faults.add(own.line_of(""), "the project has no name", '`name = "…"` under [project]')
        project = Project(
            name=name,
            folder=self.folder,
            sha256=sha256,
            migrations=self._path(own, "migrations") or self.folder / "prisma" / "migrations",
            naming=self._naming(own),
            secrets=self._secrets(own),
            redact=self._redact(own),
            sessions=self._sessions(own),
            dumps=self._path(own, "dumps"),
            group=self._group(own),
            review=self._review(table.get("review", {})),
            drift_ignored=self._drift(table.get("drift", {})),
            environments=self._environments(table.get("environments", {}), top),
        )
        return None if self.faults.found else project

    def _table(self, values: Any, name: str, known: tuple[str, ...]) -> _Table:
        line_of = KeyLines(self.text, table=name)
        if not isinstance(values, dict):
            self.faults.add(KeyLines(self.text)(name.split(".")[0]), f"`{name}` is no table", f"`[{name}]`")
            values = {}
        self.faults.unknown_keys(values, known or values, line_of)
        return _Table(values, line_of, self.faults)

    def _connection_strings(self, table: dict[str, Any]) -> None:
        if not any(_CONNECTION.search(text) for text in _texts(table)):
            return
        lines = [n for n, line in enumerate(self.text.split("\n"), 1) if _CONNECTION.search(line)]
        for line in lines or [1]:
            self.faults.add(line, _HIDDEN, "the name of an environment variable that holds it")

    def _review(self, values: Any) -> Review:
        own = self._table(values, "review", REVIEW_KEYS)
        usual = Review()
        return Review(
            reads_blocked=own.length("reads_blocked", usual.reads_blocked),
            writes_blocked=own.length("writes_blocked", usual.writes_blocked),
            also=self._rules(own),
        )

    def _drift(self, values: Any) -> tuple[str, ...]:
        own = self._table(values, "drift", DRIFT_KEYS)
        found = own.values.get("ignore", [])
        if isinstance(found, list) and all(isinstance(name, str) and name for name in found):
            return tuple(found)
        expected = 'a list of names of differences: ["table/public.scratch"]'
        self.faults.add(own.line_of("ignore"), "`ignore` is not right", expected)
        return ()

    def _rules(self, own: _Table) -> tuple[str, ...]:
        found = own.values.get("also", [])
        if not isinstance(found, list) or not all(isinstance(code, str) for code in found):
            self.faults.add(own.line_of("also"), "`also` is not right", 'a list of rules: ["no-lock-timeout"]')
            return ()
        if not found:
            return ()
        from migrations.rules import rules  # there are many: they are read only where they are asked for

        known = [rule.code for rule in rules()]
        for code in found:
            if code not in known:
                near = nearest(code, known)
                expected = f"`{near}`" if near else "a rule of docs/rules"
                self.faults.add(own.line_of("also"), f"unknown rule `{code}`", expected)
        return tuple(found)

    def _environments(self, table: Any, top: KeyLines) -> dict[str, Environment]:
        if not isinstance(table, dict) or not table:
            self.faults.add(top("environments"), "there is no environment", "`[environments.NAME]`")
            return {}
        return {name: self._environment(name, values, list(table)) for name, values in table.items()}

    def _environment(self, name: str, values: Any, names: list[str]) -> Environment:
        own = self._table(values, f"environments.{name}", ENVIRONMENT_KEYS)
        if not _NAME.fullmatch(name):
            self.faults.add(
                own.line_of(""), f"`{name}` cannot name an environment", "letters, digits, - and _, up to 40"
            )
        variable = "the NAME of an environment variable, such as DATABASE_URL"
        others = [other for other in names if other != name]
        return Environment(
            name=name,
            url=own.text("url", _is_variable, variable) or "DATABASE_URL",
            direct_url=own.text("direct_url", _is_variable, variable),
            restored_url=own.text("restored_url", _is_variable, variable),
            fingerprint=own.text("fingerprint", _is_fingerprint, '"SYSTEM_IDENTIFIER/DATABASE", digits first'),
            runbook=own.text("runbook", _is_runbook, f"a file such as runbooks/x.md, or one of {', '.join(shipped())}"),
            protected=own.flag("protected"),
            parity=own.text(
                "parity", others.__contains__, f"another environment: {', '.join(others) or 'none is here'}"
            ),
            parity_required=self._parity_required(own),
            allowed=self._among(own, "allowed", COMMANDS) if "allowed" in own.values else None,
            refused=self._among(own, "refused", CONDITIONS),
            register=own.flag("register"),
            notify=self._notify(own),
            approvals=own.number("approvals", 0, 9, 0),
            signers=own.text("signers", bool, "a path in quotes"),
            signers_from=self._signers_from(own),
            window=self._window(own),
            review_within=own.number("review_within", 1, 30, 3),
            restore_test_max_age=own.length_if("restore_test_max_age"),
            pooler="session" if own.text("pooler", "session".__eq__, '"session"') else None,
            logs=self._logs(name, own),
            values=self._values(name, own),
        )

    def _signers_from(self, own: _Table) -> str | None:
        expected = 'a branch of a remote and a file in it: "origin/main:.gonogo/signers"'
        found = own.text("signers_from", lambda text: _SIGNERS_FROM.fullmatch(text) is not None, expected)
        if "signers" in own.values and "signers_from" in own.values:
            self.faults.add(own.line_of("signers"), "`signers` and `signers_from` are both given", "one of them")
        elif own.values.get("approvals") and not {"signers", "signers_from"} & set(own.values):
            self.faults.add(own.line_of("approvals"), "`approvals` without signers", "`signers` or `signers_from`")
        return found

    def _logs(self, name: str, own: _Table) -> tuple[Log, ...]:
        table = self._table(own.values.get("logs", {}), f"environments.{name}.logs", ())
        found = list[Log]()
        expected = 'an address to open ("https://…"), or a program and its arguments: ["./ops/logs", "--since", "10m"]'
        for key, value in table.values.items():
            if not _NAME.fullmatch(key):
                self.faults.add(table.line_of(key), f"`{key}` cannot name a log", "letters, digits, - and _, up to 40")
            elif isinstance(value, str) and re.fullmatch(r"https?://\S+", value):
                found.append(Log(name=key, url=value))
            elif _is_argv(value) and value[0]:
                found.append(Log(name=key, command=tuple(value)))
            else:
                self.faults.add(table.line_of(key), f"`{key}` is not right", expected)
        return tuple(found)

    def _values(self, name: str, own: _Table) -> dict[str, str]:
        table = self._table(own.values.get("values", {}), f"environments.{name}.values", ())
        found = dict[str, str]()
        for key in table.values:
            text = table.text(key, lambda value: True, "a text in quotes")
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key, re.ASCII):
                self.faults.add(table.line_of(key), f"`{key}` cannot be `${{env.…}}`", "letters, digits, - and _")
            if text is not None:
                found[key] = text
        return found

    def _parity_required(self, own: _Table) -> bool:
        if (required := own.flag("parity_required")) and "parity" not in own.values:
            self.faults.add(own.line_of("parity_required"), "`parity_required` without `parity`", '`parity = "…"`')
        return required

    def _among(self, own: _Table, key: str, known: tuple[T, ...]) -> tuple[T, ...]:
        value = own.values.get(key, [])
        if not isinstance(value, list) or any(each not in known for each in value):
            self.faults.add(own.line_of(key), f"`{key}` is not right", f"a list of: {', '.join(map(str, known))}")
            return ()
        return tuple(each for each in known if each in value)

    def _window(self, own: _Table) -> tuple[str, ...]:
        value = own.values.get("window", [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            self.faults.add(own.line_of("window"), "`window` is not right", f"{EXPECTED_WINDOW}, or a list of such")
            return ()
        for text in found:
            try:
                read_window(text)
            except ValueError as error:
                self.faults.add(own.line_of("window"), f"`window` is not right: {error}", EXPECTED_WINDOW)
        return tuple(found)

    def _notify(self, own: _Table) -> tuple[str, ...]:
        argv = own.values.get("notify")
        if argv is None or (_is_argv(argv) and argv[0]):
            return tuple(argv or ())
        expected = 'a program and its arguments: ["./tell-the-channel", "--quiet"]'
        self.faults.add(own.line_of("notify"), "`notify` is not right", expected)
        return ()

    def _path(self, own: _Table, key: str) -> Path | None:
        text = own.text(key, lambda value: bool(value) and "\0" not in value, "a path in quotes")
        try:
            return self.folder / Path(text).expanduser() if text else None
        except RuntimeError:
            self.faults.add(own.line_of(key), f"`{key}` starts in a home folder that is not known", "a path without ~")
            return None

    def _sessions(self, own: _Table) -> Path | None:
        """Records are no part of what is committed, cleaned and checked out."""
        path, here = self._path(own, "sessions"), self.folder.resolve()
        tree = next((each for each in (here, *here.parents) if (each / ".git").exists()), here)
        if path is not None and path.resolve().is_relative_to(tree):
            expected = f"a folder outside of {tree}, or nothing: then it is that of your account"
            self.faults.add(own.line_of("sessions"), "`sessions` lies inside the work tree", expected)
        return path

    def _group(self, own: _Table) -> str | None:
        name = own.text("group", _is_group, 'the name of a Unix group: "dba"')
        if name is not None and "sessions" not in own.values:
            expected = '`sessions = "…"`, a folder that the group can reach: yours is not for others'
            self.faults.add(own.line_of("group"), "`group` stands without `sessions`", expected)
        return name

    def _naming(self, own: _Table) -> str:
        expected = f"{', '.join(NAMINGS)}, or a regular expression for whole names"
        spec = own.text("naming", bool, expected) or "prisma"
        misspelt = spec not in NAMINGS and re.fullmatch(r"[A-Za-z_-]+", spec) is not None
        try:
            convention(spec)
        except Misuse:
            misspelt = True
        if misspelt:
            near = nearest(spec, NAMINGS)
            self.faults.add(
                own.line_of("naming"), f"`naming` is not right: `{spec}`", f"`{near}`" if near else expected
            )
        return spec

    def _redact(self, own: _Table) -> tuple[str, ...]:
        value = own.values.get("redact", [])
        if isinstance(value, list) and all(isinstance(name, str) and is_column(name) for name in value):
            return tuple(value)
        expected = 'a list of columns: ["users.email", "customers.*"]'
        self.faults.add(own.line_of("redact"), "`redact` is not right", expected)
        return ()

    def _secrets(self, own: _Table) -> tuple[str, ...]:
        value = own.values.get("secrets", [])
        if isinstance(value, list) and all(isinstance(name, str) and _is_variable(name) for name in value):
            return tuple(value)
        expected = 'a list of NAMES of environment variables: ["PAYMENT_API_KEY"]'
        self.faults.add(own.line_of("secrets"), "`secrets` is not right", expected)
        return ()


def _is_argv(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) and "\0" not in word for word in value)


def _is_length(text: str) -> bool:
    try:
        return bool(duration(text))
    except ValueError:
        return False


def _is_variable(text: str) -> bool:
    return _VARIABLE.fullmatch(text) is not None


def _is_group(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", text, re.ASCII) is not None


def _is_fingerprint(text: str) -> bool:
    return _FINGERPRINT.fullmatch(text) is not None


def _is_runbook(text: str) -> bool:
    return text in shipped() or "/" in text or text.endswith(".md")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
