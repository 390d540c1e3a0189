"""What a pack has that its session's folder has not: transcripts, the pages, the verifier. All can be made again."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path

from runbooks.journal import Record, read
from runbooks.journal.verify import Verdict
from runbooks.pack.contents import Contents
from runbooks.pack.evidence import Evidence
from runbooks.pack.page import nothing_parts, page_parts
from runbooks.report.build import session_parts
from runbooks.report.cast import cast
from runbooks.report.formats import html
from runbooks.report.html import Beside, KeptScripts, Origin, page_beside
from runbooks.report.markdown import markdown
from runbooks.report.parts import Part
from runbooks.report.text import text

VERIFIER = files("runbooks.pack").joinpath("verify.py").read_bytes()
VERIFIER_SHA256 = hashlib.sha256(VERIFIER).hexdigest()
_ANCHOR = re.compile(r' id="r(\d+)"')


@dataclass(frozen=True, slots=True)
class Pages:
    """The made files of one pack: a function of the records that hold, the scripts beside them, and what is left out.

    `verdict` is of the journal as it was packed, without anything from outside.
    """

    journal: Path
    verdict: Verdict
    found: Evidence | None
    contents: Contents

    def records(self) -> Iterator[Record]:
        """Those that hold."""
        return islice(read(self.journal), self.verdict.records)

    def all(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each name with its bytes, piece by piece. They are to be taken in this order, each to its end."""
        if self.found is None:
            fault = self.verdict.fault.what if self.verdict.fault else "it holds no record"
            yield from self._answers(list(nothing_parts(fault)), Origin("", 0, self.verdict.head), frozenset())
        else:
            anchors = set[int]()
            told = self.found.facts
            yield "transcript.html", _bytes(self._noted(anchors))
            yield "transcript.md", _bytes(markdown(session_parts(told, self.records)))
            yield "transcript.txt", _bytes(text(session_parts(told, self.records)))
            yield "transcript.cast", _bytes(cast(self.records()))
            parts = list(page_parts(self.found, self.contents, self.verdict.grade, VERIFIER_SHA256))
            origin = Origin(told.opening.session, self.verdict.records, self.verdict.head)
            yield from self._answers(parts, origin, frozenset(anchors))
        yield "verify.py", iter([VERIFIER])

    def _answers(
        self, parts: list[Part], origin: Origin, anchors: frozenset[int]
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        scripts = KeptScripts(self.journal.parent, self.contents.scripts)
        yield "index.html", _bytes(page_beside(parts, origin, scripts, Beside("transcript.html", anchors)))
        yield "README.md", _bytes(markdown(parts))

    def _noted(self, anchors: set[int]) -> Iterator[str]:
        """The transcript; the records that have a place in it are noted as it goes by."""
        for piece in html(self.journal, self.verdict.records, self.contents.scripts):
            anchors.update(int(seq) for seq in _ANCHOR.findall(piece))
            yield piece


def _bytes(pieces: Iterator[str]) -> Iterator[bytes]:
    return (piece.encode() for piece in pieces)
