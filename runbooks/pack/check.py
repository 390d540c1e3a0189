"""Whether an unpacked pack is what its manifest lists, and its pages what gonogo makes of its journal."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import rfc8785
from pydantic import ValidationError

from migrations.listed import many
from runbooks.approvals.judged import judge_papers
from runbooks.journal.files import open_to_read
from runbooks.journal.verify import Verdict
from runbooks.pack.contents import Contents
from runbooks.pack.evidence import evidence
from runbooks.pack.make import JOURNAL, MANIFEST, Manifest
from runbooks.pack.pages import Pages
from runbooks.signing import AllowedSigners

LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """What there is to say of a pack, and what is wrong with it."""

    said: tuple[str, ...]
    wrong: tuple[str, ...]


def check_pack(
    folder: Path, verdict: Verdict, signers: AllowedSigners | None, environ: Mapping[str, str] = os.environ
) -> Checked:
    """Hold everything in an unpacked pack against its manifest and its journal. Raises Unavailable.

    `verdict` is of the journal without anything from outside.
    """
    said, wrong = list[str](), list[str]()
    here = {str(each.relative_to(folder)): each for each in sorted(folder.rglob("*")) if each.is_file()}
    manifest = _manifest(here.get(MANIFEST))
    if manifest is None:
        wrong.append("manifest.json is not there, or is none")
    else:
        counts = f"{many(len(manifest.files), 'file')}, {len(manifest.left_out)} left out"
        said.append(f"pack: {counts}, as manifest.json lists them; made by gonogo {manifest.gonogo}")
        said += (f"left out: {one.name} ({one.why}): {one.what}" for one in manifest.left_out)
        said.append(f"manifest: SHA-256 {_sha256(here[MANIFEST])}")
        wrong += (*_files(manifest, here), *_said(manifest, verdict))
        again = list(_pages(manifest, folder, verdict))
        if manifest.gonogo != version("gonogo"):
            said.append(f"pages: not compared: this is gonogo {version('gonogo')}, which may render differently")
        else:
            wrong += again
            said += [] if again else ["pages: byte for byte what the journal gives"]
    for paper in judge_papers(folder, verdict, signers, environ):
        (wrong if paper.refused else said).append(paper.words)
    return Checked(tuple(said), tuple(wrong))


def _manifest(path: Path | None) -> Manifest | None:
    """The manifest, if it is one to the byte."""
    try:
        text = path.read_bytes() if path and path.stat().st_size <= LARGEST else b""
        manifest = Manifest.model_validate_json(text, strict=True)
        return manifest if manifest.text == text else None
    except (OSError, ValidationError, rfc8785.CanonicalizationError):
        return None


def _files(manifest: Manifest, here: Mapping[str, Path]) -> Iterator[str]:
    listed = {one.name: one for one in manifest.files}
    yield from (f"{name} is not here, and the manifest lists it" for name in listed if name not in here)
    extra = [name for name in here if name not in listed and name != MANIFEST]
    yield from (f"{name} is here, and the manifest does not list it" for name in extra)
    for name, one in listed.items():
        if name in here and (here[name].stat().st_size, _sha256(here[name])) != (one.size, one.sha256):
            yield f"{name} is not the file that the manifest lists"
    for left in manifest.left_out:
        if left.why == "altered":
            yield f"{left.name} was altered before the pack was made: {left.what}"


def _said(manifest: Manifest, verdict: Verdict) -> Iterator[str]:
    session = verdict.opened.session if verdict.opened else ""
    for name, here in (("session", session), ("records", verdict.records), ("head", verdict.head)):
        if getattr(manifest, name) != here:
            yield f"manifest.json has another {name} than the journal"
    if manifest.grade != verdict.grade:
        yield "manifest.json has another grade than the journal"


def _pages(manifest: Manifest, folder: Path, verdict: Verdict) -> Iterator[str]:
    """The made files that are not what they would be, were they made now."""
    made = {one.name: one.sha256 for one in manifest.files}
    kept = {name: sha for name, sha in made.items() if name != JOURNAL}
    records = Pages(folder / JOURNAL, verdict, None, Contents({}, ())).records()
    found = evidence(records) if verdict.records else None
    own = {name for name, _ in Pages(folder / JOURNAL, verdict, found, Contents({}, ())).all()}
    contents = Contents({name: sha for name, sha in kept.items() if name not in own}, manifest.left_out)
    for name, pieces in Pages(folder / JOURNAL, verdict, found, contents).all():
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        if made.get(name) != digest.hexdigest():
            yield f"{name} is not what this gonogo makes of the journal"


def _sha256(path: Path) -> str:
    with os.fdopen(open_to_read(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
