"""What is applied, held against what is on disk."""

from pathlib import Path

import pytest

from migrations.folder import Migration
from migrations.plan import Applied, Plan, compare
from migrations.problem import Misuse

FOLDER = tuple(Migration(name, Path(name), name.encode()) for name in ("1_a", "2_b", "3_c", "4_d"))


def row(name: str, *, failed: bool = False, rolled_back: bool = False, text: str | None = None) -> Applied:
    checksum = Migration(name, Path(name), (text or name).encode()).checksum
    finished = None if failed or rolled_back else "2026-01-01T00:00:01Z"
    return Applied(name, checksum, failed, rolled_back, "2026-01-01T00:00:00Z", finished, None)


def names(migrations: tuple[Migration, ...]) -> list[str]:
    return [migration.name for migration in migrations]


def test_nothing_is_applied_on_a_new_database() -> None:
    plan = compare(FOLDER, ())
    assert plan == Plan(pending=FOLDER)


def test_out_of_order_ones_are_pending() -> None:
    plan = compare(FOLDER, [row("1_a"), row("3_c")])
    assert (names(plan.pending), plan.applied) == (["2_b", "4_d"], ("1_a", "3_c"))


def test_a_failed_one_is_neither_pending_nor_applied_even_without_its_folder() -> None:
    plan = compare(FOLDER, [row("1_a"), row("2_b", failed=True), row("9_gone", failed=True)])
    assert plan.failed == ("2_b", "9_gone")
    assert plan.applied == ("1_a",)
    assert names(plan.pending) == ["3_c", "4_d"]


def test_a_rolled_back_one_is_pending_again_and_never_missing() -> None:
    plan = compare(FOLDER, [row("1_a", rolled_back=True), row("0_gone", rolled_back=True)])
    assert (names(plan.pending), plan.missing) == (["1_a", "2_b", "3_c", "4_d"], ())
    again = compare(FOLDER, [row("1_a", rolled_back=True), row("1_a")])
    assert again.applied == ("1_a",)


def test_an_edited_and_a_deleted_one_are_named() -> None:
    plan = compare(FOLDER, [row("1_a", text="edited"), row("2_b"), row("0_gone")])
    assert (plan.changed, plan.missing) == (("1_a",), ("0_gone",))


def test_to_holds_back_what_comes_after_it() -> None:
    plan = compare(FOLDER, [row("1_a")], to="3_c")
    assert (names(plan.pending), names(plan.held_back)) == (["2_b", "3_c"], ["4_d"])
    applied = compare(FOLDER, [row("3_c")], to="3_c")
    assert (names(applied.pending), names(applied.held_back)) == (["1_a", "2_b"], ["4_d"])


def test_to_an_unknown_name_says_the_nearest() -> None:
    with pytest.raises(Misuse, match="Did you mean 3_c"):
        compare(FOLDER, (), to="3_cc")


def test_a_folder_without_its_script_stays_in_the_plan_and_is_named() -> None:
    plan = compare((*FOLDER, Migration("5_e", Path("5_e"), None)), [row("1_a")])
    assert plan.without_script == ("5_e",)
    assert names(plan.pending)[-1] == "5_e"
