"""docs/journal.md is enough: the packs' verifier, written from it, agrees with gonogo's on good and damaged ones."""

import ast
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbooks.journal import NAME, read, verify
from runbooks.journal.named import named_by
from runbooks.journal.records import KINDS
from runbooks.pack import verify as plain
from tests.runbooks import stdlib_journal
from tests.runbooks.journal.test_verify import FORGERIES, RECODED

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def whole(write, events) -> Path:
    return write(events) / NAME


def agreed(path: Path, data: bytes) -> str:
    """The grade that both give, with the same head and the same first bad line."""
    path = path.with_name("shown")
    path.write_bytes(data)
    ours = verify(path)
    theirs = plain.Journal(plain.lines_of(io.BytesIO(data)))
    assert (theirs.grade(None, False), theirs.records, theirs.head) == (ours.grade, ours.records, ours.head)
    assert ours.fault is None or theirs.fault.startswith(f"record {ours.fault.seq} (line {ours.fault.line})")
    return ours.grade


def test_the_verifier_uses_the_standard_library_alone_and_is_read_by_an_old_python() -> None:
    tree = ast.parse(Path(plain.__file__).read_text(), feature_version=(3, 8))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names


def test_the_page_lists_every_event_with_its_fields() -> None:
    fields = {kind: {n: f for n, f in model.model_fields.items() if n != "kind"} for kind, model in KINDS.items()}
    required = {kind: {n for n, f in each.items() if f.is_required()} for kind, each in fields.items()}
    known = {kind: (required[kind], set(each)) for kind, each in fields.items()}
    assert stdlib_journal.kinds() == known and known == plain.KINDS


def test_both_agree_on_whole_and_cut_journals(whole) -> None:
    data = whole.read_bytes()
    assert agreed(whole, data) == "consistent"
    ends = [at + 1 for at, byte in enumerate(data) if byte == ord("\n")]
    assert {agreed(whole, data[:end]) for end in [0, *ends[:-1]]} == {"open"}
    assert {agreed(whole, data[: end + 9]) for end in ends[:-1]} == {"open"}
    assert agreed(whole, data + b"x") == "broken"


@RELAXED
@given(st.data())
def test_both_agree_on_damage(whole, data) -> None:
    journal = whole.read_bytes()
    at = data.draw(st.integers(0, len(journal)))
    gone = data.draw(st.integers(0, 3) | st.integers(0, len(journal)))
    agreed(whole, journal[:at] + data.draw(st.binary(max_size=3)) + journal[at + gone :])


@RELAXED
@given(st.data())
def test_both_agree_on_lines_out_of_order(whole, data) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    agreed(whole, b"".join(data.draw(st.lists(st.sampled_from(lines), max_size=5))))
    agreed(whole, b"".join(lines[: data.draw(st.integers(0, 25))] + lines[data.draw(st.integers(0, 25)) :]))


@pytest.mark.parametrize("how", RECODED)
def test_both_refuse_the_same_json_in_another_form(whole, how) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    for i, line in enumerate(lines):
        other = (RECODED[how](dict(reversed(json.loads(line).items()))) + "\n").encode()
        agreed(whole, b"".join([*lines[:i], other, *lines[i + 1 :]]))


def test_both_know_the_same_files(whole) -> None:
    ours = [(named.path, named.sha256) for record in read(whole) for named in named_by(record)]
    theirs = [plain.named_by(raw["kind"], raw["data"]) for raw in map(json.loads, whole.read_bytes().splitlines())]
    assert [pair for pairs in theirs for pair in pairs] == ours
    assert len([path for path, _ in ours if path.startswith("scripts/")]) == 3, "script, rollback.sql and verify.sql"


FINER = {"a wrong type", "true for one", "an unknown outcome"}
"""What a field may hold is not on the page; only gonogo's own verifier looks."""


@pytest.mark.parametrize("what", sorted(set(FORGERIES) - FINER))
def test_both_refuse_a_rebuilt_chain_whose_content_does_not_hold(whole, what) -> None:
    raws = [json.loads(line) for line in whole.read_bytes().splitlines()]
    FORGERIES[what][0](raws)
    assert agreed(whole, stdlib_journal.forged(raws)) == "broken"
