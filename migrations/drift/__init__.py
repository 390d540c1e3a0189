"""How a database differs from what its migrations make, without Prisma's engine: what was changed by hand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `id` names it for good, as in `table/public.orders/column/note/type`.

    `folder` and `target` say what each has. `statements` bring the target to what the folder says; `caution` is what
    to know before they run, or why there are none.
    """

    id: str
    title: str
    folder: str
    target: str
    statements: tuple[str, ...] = ()
    caution: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Statements that undo a difference, and what to know of them; or why there are none."""

    statements: tuple[str, ...] = ()
    caution: str = ""
