"""The parts of a comparison: lists of privileges, names, and that nothing that differs is swallowed."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.catalog import Snapshot
from migrations.drift.compare import Terms, compare
from migrations.drift.sql.acl import LETTERS, OWNER, Grant, changed, grants, written
from migrations.drift.sql.change import enum_labels, widens
from migrations.drift.sql.defaults import default_privileges
from migrations.drift.sql.words import literal, local, schema_of

ROLES = st.sampled_from(["", OWNER, "app", "Big boss", 'odd"one', "a=b", "user"])
GRANTS = st.frozensets(st.builds(Grant, ROLES, st.sampled_from("rawx"), st.booleans())).map(
    lambda found: frozenset({(g.grantee, g.letter): g for g in found}.values())
)
TABLES = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["integer", "text"]), min_size=1),
)
TERMS = Terms(Snapshot({}), "postgres", (18, 18))


@given(GRANTS)
def test_a_list_of_privileges_reads_back(found: frozenset[Grant]) -> None:
    assert grants(written(found), "postgres") == found


@given(GRANTS, GRANTS)
def test_statements_lead_from_one_list_to_the_other(wanted: frozenset[Grant], there: frozenset[Grant]) -> None:
    """Each statement is carried out on a list, as PostgreSQL would: REVOKE takes the grant option along."""
    names = {word: letter for letter, word in LETTERS.items()}
    roles = {"PUBLIC": "", '"own"': OWNER, **{f'"{r.replace(chr(34), chr(34) * 2)}"': r for r in known(wanted | there)}}
    have = {(grant.grantee, grant.letter): grant.grantable for grant in there}
    for text in changed("TABLE t", wanted, there, "own"):
        verb, _, rest = text.partition(" ")
        what, _, whom = rest.partition(" ON TABLE t ")
        option = whom.endswith(" WITH GRANT OPTION")
        role = roles[whom.removesuffix(" WITH GRANT OPTION").split(" ", 1)[1]]
        for letter in (names[word] for word in what.split(", ")):
            have.pop((role, letter), None)
            if verb == "GRANT":
                have[role, letter] = option
    assert have == {(grant.grantee, grant.letter): grant.grantable for grant in wanted}


def known(found: frozenset[Grant]) -> set[str]:
    return {grant.grantee for grant in found} - {"", OWNER}


def catalog(tables: Mapping[str, Mapping[str, str]]) -> Snapshot:
    objects: dict[str, dict[str, str]] = {}
    for table, columns in tables.items():
        objects[f"table public.{table}"] = {"owner": "postgres"}
        for name, type in columns.items():
            objects[f"column public.{table}.{name}"] = {"of": f"public.{table}", "type": type}
    return Snapshot(objects)


@given(TABLES, TABLES)
def test_what_differs_is_told_once_and_what_is_equal_is_not(
    folder: Mapping[str, Mapping[str, str]], target: Mapping[str, Mapping[str, str]]
) -> None:
    expected = {f"table/public.{table}" for table in folder.keys() ^ target.keys()}
    for table in folder.keys() & target.keys():
        path = f"table/public.{table}/column"
        for column in folder[table].keys() | target[table].keys():
            says, has = folder[table].get(column), target[table].get(column)
            if says != has:
                expected.add(f"{path}/{column}" + ("/type" if says and has else ""))
    found = [drift.id for drift in compare(catalog(folder), catalog(target), TERMS).drifts]
    assert sorted(found) == sorted(expected)


def test_an_index_that_takes_anothers_place_must_be_valid_before_that_is_dropped() -> None:
    folder, target = (
        Snapshot({"index public.i": {"of": "public.t", "definition": f"ON public.t USING btree ({column})"}})
        for column in "xy"
    )
    (found,) = compare(folder, target, TERMS).drifts
    assert found.statements[1] == "DROP INDEX CONCURRENTLY public.i" and "is valid" in found.caution


@pytest.mark.parametrize(
    ("there", "wanted", "so"),
    [
        ("character varying(10)", "character varying(20)", True),
        ("character varying(20)", "character varying(10)", False),
        ("character varying(20)", "text", True),
        ("character varying", "character varying(9)", False),
        ("character varying(9)", "character varying", True),
        ("numeric(8,2)", "numeric(10,2)", True),
        ("numeric(8,2)", "numeric(10,3)", False),
        ("integer", "bigint", False),
        ("text", "character varying(9)", False),
    ],
)
def test_a_type_is_only_widened(there: str, wanted: str, so: bool) -> None:
    assert widens(there, wanted) is so


def test_labels_are_added_in_their_place_and_never_moved() -> None:
    assert list(enum_labels("e", "'a', 'b, ''c', 'd'", "'a', 'd'")) == ["ALTER TYPE e ADD VALUE 'b, ''c' AFTER 'a'"]
    assert list(enum_labels("e", "'a', 'b'", "'b'")) == ["ALTER TYPE e ADD VALUE 'a' BEFORE 'b'"]
    assert list(enum_labels("e", "'a', 'b'", "'b', 'a'")) == [] == list(enum_labels("e", "'a'", "'a', 'b'"))


def test_default_privileges_of_a_role_with_a_hard_name() -> None:
    (statement,) = default_privileges('"on tables" on functions in "my in"', "x=X/y", "")
    assert (
        statement == 'ALTER DEFAULT PRIVILEGES FOR ROLE "on tables" IN SCHEMA "my in" GRANT EXECUTE ON FUNCTIONS TO "x"'
    )
    (statement,) = default_privileges("me on functions", "=X/me, me=X/me, you=X/me", None)
    assert statement.endswith('GRANT EXECUTE ON FUNCTIONS TO "you"')
    assert default_privileges("nonsense", "", "") == ()


def test_names_are_taken_apart() -> None:
    assert [schema_of(n) for n in ("a.b", '"a.b"."c""d"', '"a""."."b"', "c", "f(a.b)", '"f.g"')] == [
        "a", '"a.b"', '"a""."', "", "", ""
    ]  # fmt: skip
    assert (local("public.t.c", "public.t"), local('"x.y".i', ""), local("ext", "")) == ("c", "i", "ext")
    assert (literal("it's"), literal("a\\b")) == ("'it''s'", "E'a\\\\b'")
