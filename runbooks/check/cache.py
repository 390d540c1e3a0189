"""Verdicts of scripts that were read before, in files that nobody else can write.

A file is named by the script's SHA-256, in a folder named by what judged it: gonogo's version, the code of its grammar
and rules, the matters of taste that were asked for. What cannot be read for any reason counts as not there.
"""

import hashlib
import importlib.util
import json
import os
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, fields
from functools import cache
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from typing import Any

import migrations
from migrations.finding import Finding
from runbooks.check.verdict import Verdict

LARGEST = 64_000_000
"""Bytes that all kept verdicts may take. Beyond it the oldest go, down to half."""

CODE = ("finding.py", "impact", "locks", "rules", "sql")
OURS = ("cache.py", "reading.py", "verdict.py")


class Cache:
    """Verdicts of one set of rules. Without a folder that is ours alone, it holds nothing."""

    def __init__(self, environ: Mapping[str, str], also: Collection[str] = ()) -> None:
        self._root = _private(_home(environ))
        judges = hashlib.sha256(json.dumps([judge_hash(), sorted(also)]).encode()).hexdigest()[:32]
        self._folder = _private(self._root / judges) if self._root else None

    def get(self, sha256: str) -> Verdict | None:
        """The verdict of a script, if it was kept."""
        if self._folder is None:
            return None
        try:
            return _read(_bytes(self._folder / sha256))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def put(self, verdicts: Mapping[str, Verdict]) -> None:
        """Keep verdicts, by the SHA-256 of their scripts."""
        if self._folder is None or self._root is None or not verdicts:
            return
        with suppress(OSError):
            for sha256, verdict in verdicts.items():
                _write(self._folder / sha256, verdict)
            _shrink(self._root)


@cache
def judge_hash() -> str:
    """What a verdict depends on beside the script: another code gives another hash."""
    digest = hashlib.sha256(f"{version('gonogo')} {sys.version_info[:2]}".encode())
    places = [Path(migrations.__path__[0], name) for name in CODE]
    places += [Path(__file__).with_name(name) for name in OURS]
    for file in (file for place in places for file in _code(place)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    grammar = importlib.util.find_spec("postgast")
    for place in (grammar.submodule_search_locations or ()) if grammar else ():
        for entry in sorted(Path(place).iterdir()):
            digest.update(f"{entry.name} {entry.stat().st_size if entry.is_file() else 0}".encode())
    return digest.hexdigest()


def _code(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _home(environ: Mapping[str, str]) -> Path:
    chosen = environ.get("XDG_CACHE_HOME", "")
    home = Path(chosen) if chosen.startswith("/") else Path("~/.cache").expanduser()
    return home / "gonogo"


def _private(folder: Path) -> Path | None:
    """The folder, made if need be; None unless it is ours and closed to everybody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
    except (OSError, RuntimeError):
        return None
    ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o077
    return folder if ours else None


def _bytes(path: Path) -> bytes:
    with FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_size > LARGEST:
            raise ValueError("not a file of ours")
        return file.readall()


def _read(data: bytes) -> Verdict:
    """A verdict from its file: a line with the hash of the rest, then JSON."""
    head, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != head:
        raise ValueError("cut or changed")
    values = json.loads(body)
    return Verdict(
        **{
            **values,
            "findings": tuple(Finding(**{**f, "tables": tuple(f.get("tables", ()))}) for f in values["findings"]),
            "lines": tuple(values["lines"]),
            "unread": tuple((line, why) for line, why in values["unread"]),
            "makes": tuple(values["makes"]),
        }
    )


def _write(path: Path, verdict: Verdict) -> None:
    values = {**asdict(verdict), "findings": [_short(finding) for finding in verdict.findings]}
    body = json.dumps(values, separators=(",", ":")).encode()
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with FileIO(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    fresh.rename(path)


def _short(finding: Finding) -> dict[str, Any]:
    """A finding without what it has by default."""
    values = ((f.name, getattr(finding, f.name), f.default) for f in fields(finding))
    return {name: value for name, value, default in values if default is MISSING or value != default}


def _shrink(root: Path) -> None:
    kept = sorted(_sizes(root))
    total = sum(size for _, size, _ in kept)
    if total <= LARGEST:
        return
    for _, size, path in kept:
        if total <= LARGEST // 2:
            return
        Path(path).unlink(missing_ok=True)
        total -= size


def _sizes(root: Path) -> Iterator[tuple[float, int, str]]:
    for folder in os.scandir(root):
        if not folder.is_dir(follow_symlinks=False):
            continue
        entries = list(os.scandir(folder.path))
        if not entries:
            with suppress(OSError):
                Path(folder.path).rmdir()
        for entry in entries:
            about = entry.stat(follow_symlinks=False)
            yield about.st_mtime, about.st_size, entry.path
