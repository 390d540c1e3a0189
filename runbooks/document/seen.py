"""The documents that a runbook points to by `see`: read once, and kept as they were then."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrations.problem import Misuse
from runbooks.document import called, decode, note_passwords, read_bytes, read_with_faults
from runbooks.session.runbook import Document, Runbook
from runbooks.settings.faults import DocumentError, Faults

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind

FOLDER = "documents"
"""Where in a session's folder they are kept, each under the hash of its bytes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as it is kept, without secrets."""

    document: Document
    data: bytes


def kept_name(document: Document) -> str:
    """Its path in the session's folder."""
    return f"{FOLDER}/{document.sha256}.md"


def read_beside(
    source: Path | str,
    folder: Path,
    *,
    name: str = "",
    catalogue: "Mapping[str, StepKind[Any, Any]]",
    redact: Callable[[str], str] = str,
) -> tuple[Runbook, Sequence[Kept]]:
    """A runbook, and the documents that it points to, of files in the project's folder.

    Raises DocumentError with all faults of both, or Misuse for a file that cannot be read.
    """
    name = name or called(source)
    book, faults = read_with_faults(source, name, catalogue)
    seen = _read_all(book, folder, redact, faults)
    if faults.found:
        raise DocumentError(name, faults.found)
    return book, seen


def _read_all(book: Runbook, folder: Path, redact: Callable[[str], str], faults: Faults) -> Sequence[Kept]:
    found = dict[str, Kept]()
    for document in book.documents:
        if document.path not in found and (text := _read(document, folder, faults)) is not None:
            data = redact(text).encode()
            sha256 = hashlib.sha256(data).hexdigest()
            filled = document.model_copy(update={"sha256": sha256, "size": len(data)})
            found[document.path] = Kept(filled, data)
    return tuple(found.values())


def _read(document: Document, folder: Path, faults: Faults) -> str | None:
    """The text of a file inside of the folder, wherever links lead."""
    what = f'`see = "{document.path}"`'
    try:
        path = (folder / document.path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        faults.add(document.line, f"{what} names no file", f"a path from {folder.name or folder}, where gonogo.toml is")
        return None
    if Path(document.path).is_absolute() or not path.is_relative_to(folder.resolve()):
        faults.add(document.line, f"{what} leads out of the project", "a document of this project")
        return None
    if not path.is_file():
        faults.add(document.line, f"{what} names no file", "a text of Markdown")
        return None
    inside = Faults()
    try:
        text = decode(read_bytes(path), document.path)
    except DocumentError as error:
        faults.add(document.line, f"{what}: {error.faults[0].what}")
        return None
    except Misuse as error:
        faults.add(document.line, f"{what}: {error.what}")
        return None
    note_passwords(text, inside)
    for fault in inside.found:
        faults.add(document.line, f"{what}, line {fault.line}: {fault.what}", fault.expected)
    return text
