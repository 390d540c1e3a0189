"""Code in a script: the plain statements inside DO blocks, and inside functions that the script makes and calls."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from postgast import pg_query_pb2 as pb

from migrations.sql import actions as a
from migrations.sql.from_tree import actions_of
from migrations.sql.names import Name
from migrations.sql.parse import NotReadable, code_tree, parse_one, pieces
from migrations.sql.tree import option, qualified, strings, text_of

MOST_CALLS = 50
"""Functions of the script that are followed from one statement."""

_STATEMENT, _EXPRESSION = 0, 2  # libpg_query's parse modes; those after them are assignments
_ASSIGNS = re.compile(r":?=")
_DYNAMIC = ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors")
_STRAIGHT = ("PLpgSQL_function", "PLpgSQL_stmt_block", "PLpgSQL_stmt_execsql", "PLpgSQL_stmt_dynexecute")
_LEAVES = ("PLpgSQL_stmt_return", "PLpgSQL_stmt_exit")


@dataclass(frozen=True, slots=True)
class Body:
    """What is in a piece of code. `actions` are those of its plain statements, each of which may run or not;
    `why_not` says what could not be looked into, and is empty if there was nothing."""

    actions: tuple[a.Action, ...] = ()
    why_not: str = ""


class Bodies:
    """The functions that a script makes, and what stands in the code that it runs."""

    def __init__(self) -> None:
        self._functions: dict[str, list[str]] = {}  # by each way to call it, the statements that make one of the name

    def behind(self, actions: Iterable[a.Action], text: str) -> Body:
        """What else a statement does, by the code that it runs."""
        actions = tuple(actions)
        for action in actions:
            match action:
                case a.Create(kind="function" | "procedure", name=name):
                    for called in _ways(name):
                        self._functions.setdefault(called, []).append(text)
                case a.Drop(kind="function" | "procedure" | "routine", name=name):
                    for called in _ways(name):
                        self._functions.pop(called, None)
        return self._followed(_joined(_of(action, text) for action in actions), set())

    def _followed(self, body: Body, seen: set[str]) -> Body:
        """The same, with what is called in it. `seen` are the functions that were followed before, by their text."""
        parts = [Body((), body.why_not)]
        for action in body.actions:
            calls = _calls(action)
            if unknown := [name for name in calls if name not in self._functions]:
                parts.append(Body((), f"what {', '.join(unknown)} does is not looked into"))
            parts.append(Body((action,)))
            for text in (text for name in calls for text in self._functions.get(name, ())):
                if text not in seen:
                    seen.add(text)
                    parts.append(self._behind_call(text, seen))
        return _joined(parts)

    def _behind_call(self, text: str, seen: set[str]) -> Body:
        if len(seen) > MOST_CALLS:
            return Body((), "it calls too many functions to look into")
        return self._followed(_function(text), seen)


def _of(action: a.Action, text: str) -> Body:
    match action:
        case a.Unknown(why=why):
            return Body((), why)
        case a.RunCode(language=language, body=code):
            if language.lower() == "plpgsql":
                return _plpgsql(text, code)
            return Body((), f"what its {language} code does is not looked into")
        case _:
            return Body((action,)) if _calls(action) else Body()


def _joined(bodies: Iterable[Body]) -> Body:
    bodies = tuple(bodies)
    why = next((body.why_not for body in bodies if body.why_not), "")
    return Body(tuple(action for body in bodies for action in body.actions), why)


def _calls(action: a.Action) -> tuple[str, ...]:
    match action:
        case a.Call(name=name):
            return (name,)
        case _:
            calls: tuple[str, ...] = getattr(action, "calls", ())
            return calls


def _ways(name: Name) -> tuple[str, str]:
    """A function as it is called where the search path finds it, and with its schema."""
    return str(Name(None, name.name)), str(Name(name.schema or "public", name.name))


def _function(text: str) -> Body:
    """The code of a CREATE FUNCTION in PL/pgSQL or SQL."""
    try:
        stmt = parse_one(text).create_function_stmt
    except NotReadable as error:
        return Body((), error.message)
    language = (option(stmt.options, "language") or "sql").lower()
    code = _source(stmt)
    if language not in ("plpgsql", "sql") or code is None:
        return Body((), f"what the {language} code of {qualified(strings(stmt.funcname))} does is not looked into")
    return _doubted(_sql(code) if language == "sql" else _plpgsql(text, code))


def _source(stmt: pb.CreateFunctionStmt) -> str | None:
    for node in stmt.options:
        if node.def_elem.defname == "as":
            return text_of(node.def_elem.arg.list.items[0]) if node.def_elem.arg.HasField("list") else None
    return None


def _plpgsql(text: str, code: str) -> Body:
    """The body of a DO block or a CREATE FUNCTION in PL/pgSQL."""
    try:
        tree = code_tree(text, code)
    except NotReadable as error:
        return Body((), error.message)
    return _joined(_of_code(tree, surely=not _may_leave(tree)))


def _of_code(part: Any, *, surely: bool) -> Iterator[Body]:
    """`surely`: it runs whenever the code does, and if it fails, so does all of the code."""
    if isinstance(part, list):
        for one in part:
            yield from _of_code(one, surely=surely)
    elif isinstance(part, dict):
        for kind, inner in part.items():
            if kind in _DYNAMIC:
                yield from _of_code({"dynquery": inner["query"]}, surely=surely and kind in _STRAIGHT)
                yield from _of_code({key: value for key, value in inner.items() if key != "query"}, surely=False)
            elif kind in ("PLpgSQL_expr", "dynquery"):
                found = _dynamic(inner) if kind == "dynquery" else _expression(inner)
                yield found if surely else _doubted(found)
            else:
                yield from _of_code(inner, surely=surely and _runs_through(kind, inner))


def _runs_through(kind: str, inner: Any) -> bool:
    return kind in _STRAIGHT and "exceptions" not in inner if kind.startswith("PLpgSQL_") else True


def _may_leave(part: Any) -> bool:
    """Whether the code may end, or leave a block, before its last statement; the end itself has no line."""
    left = [part]
    while left:
        match left.pop():
            case list() as parts:
                left += parts
            case dict() as kinds:
                if any(kind in _LEAVES and "lineno" in inner for kind, inner in kinds.items()):
                    return True
                left += kinds.values()
    return False


def _expression(expression: dict[str, Any]) -> Body:
    query, mode = expression["query"], expression.get("parseMode", _STATEMENT)
    if mode == _STATEMENT:
        return _one(query)
    value = query if mode == _EXPRESSION else _ASSIGNS.split(query, maxsplit=1)[-1]
    return _one(f"SELECT {value}")


def _dynamic(query: dict[str, Any]) -> Body:
    """EXECUTE of a text: looked into if it stands there as it is."""
    made = Body((), "it executes a text that is made only when it runs")
    try:
        stmt = parse_one(f"SELECT {query['PLpgSQL_expr']['query']}").select_stmt
    except NotReadable:
        return made
    text = text_of(stmt.target_list[0].res_target.val) if len(stmt.target_list) == 1 else None
    return made if text is None else _sql(text)


def _sql(text: str) -> Body:
    """Statements that stand in a text of their own."""
    try:
        return _joined(_one(piece) for piece in pieces(text))
    except NotReadable as error:
        return Body((), error.message)


def _one(text: str) -> Body:
    try:
        actions = actions_of(parse_one(text), text)
    except NotReadable as error:
        return Body((), error.message)
    unknown = next((x.why for x in actions if isinstance(x, a.Unknown)), "")
    return Body(tuple(x for x in actions if not isinstance(x, a.Transaction)), unknown)


def _doubted(body: Body) -> Body:
    return Body(tuple(map(_perhaps, body.actions)), body.why_not)


def _perhaps(action: a.Action) -> a.Action:
    """Nobody knows that code made it: it stands behind an IF, in a loop, or where errors are caught."""
    if isinstance(action, a.CreateTable | a.AddColumn):
        return replace(action, if_not_exists=True)
    if isinstance(action, a.Create) and action.kind in ("type", "domain", "schema"):
        return replace(action, replace=True)
    return action
