"""Literals that are values of columns which a project wants left out: in rows, assignments and comparisons."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import walk

from migrations.sql.parse import placed
from migrations.sql.redact_list import Columns
from migrations.sql.tree import strings
from migrations.sql.veil import Hidden


def values_in(text: str, tree: Message, columns: Columns, base: int = 0) -> Iterator[Hidden]:
    """The places of such values in one statement, which begins at `base`."""
    found = dict(_Values(tree, columns).found())
    if not found:
        return
    places = {token.start: (start, end) for start, end, token in placed(text)}
    ends = sorted(places)
    for at, name in found.items():
        if at in places:
            start, end = places[at]
            if text[start:end] in ("-", "+"):
                end = places[ends[ends.index(at) + 1]][1]
            yield Hidden(base + start, base + end, name, bare=True)


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    name: str


class _Values:
    """Looks through one statement. Yields byte offsets of constants, each with the name of its column."""

    def __init__(self, tree: Message, columns: Columns) -> None:
        self._columns = columns
        self._nodes = [node for _, node in walk(tree)]
        self._tables: dict[str, _Table] = {}
        for node in self._nodes:
            if isinstance(node, pb.RangeVar):
                table = _Table(node.schemaname, node.relname)
                self._tables[node.alias.aliasname or node.relname] = table

    def found(self) -> Iterator[tuple[int, str]]:
        for node in self._nodes:
            match node:
                case pb.InsertStmt():
                    yield from self._insert(node)
                case pb.UpdateStmt():
                    yield from self._assigned(node.relation, node.target_list)
                case pb.MergeStmt():
                    for clause in node.merge_when_clauses:
                        when = clause.merge_when_clause
                        yield from self._assigned(node.relation, when.target_list)
                        names = [target.res_target.name for target in when.target_list]
                        yield from self._row(node.relation, names, when.values)
                case pb.A_Expr():
                    yield from self._compared(node)

    def _insert(self, stmt: pb.InsertStmt) -> Iterator[tuple[int, str]]:
        names = [target.res_target.name for target in stmt.cols]
        if self._columns.of(stmt.relation.schemaname, stmt.relation.relname):
            for row in _rows(stmt.select_stmt.select_stmt):
                yield from self._row(stmt.relation, names, row)
        yield from self._assigned(stmt.relation, stmt.on_conflict_clause.target_list)

    def _row(self, table: pb.RangeVar, names: Sequence[str], row: Sequence[pb.Node]) -> Iterator[tuple[int, str]]:
        """Without names of columns, which value is whose is not known: all of them count."""
        for at, value in enumerate(row):
            name = names[at] if at < len(names) else ""
            column = f"{table.relname}.*" if not names else self._name(table, name)
            if column:
                yield from self._all(value, column)

    def _assigned(self, table: pb.RangeVar, targets: Iterable[pb.Node]) -> Iterator[tuple[int, str]]:
        for target in targets:
            if column := self._name(table, target.res_target.name):
                value = target.res_target.val
                yield from self._all(
                    value.multi_assign_ref.source if value.HasField("multi_assign_ref") else value, column
                )

    def _all(self, value: pb.Node, column: str) -> Iterator[tuple[int, str]]:
        """Every constant of an expression; where it takes from elsewhere, those of lists of values too."""
        inside = [node for _, node in walk(value)]
        yield from _constants(inside, column)
        if any(isinstance(node, pb.ColumnRef) for node in inside):
            for node in self._nodes:
                if isinstance(node, pb.SelectStmt):
                    for row in node.values_lists:
                        yield from _constants([each for _, each in walk(row)], column)

    def _compared(self, node: pb.A_Expr) -> Iterator[tuple[int, str]]:
        inside = [each for _, each in walk(node)]
        for each in inside:
            if isinstance(each, pb.ColumnRef) and (column := self._referred(each)):
                yield from _constants(inside, column)
                return

    def _referred(self, ref: pb.ColumnRef) -> str | None:
        *qualified, name = strings(ref.fields) or [""]
        tables = [self._tables[qualified[-1]]] if qualified and qualified[-1] in self._tables else self._tables.values()
        named = (self._columns.named(table.schema, table.name, name) for table in tables)
        return next((each for each in named if each), None) if name else None

    def _name(self, table: pb.RangeVar, column: str) -> str | None:
        return self._columns.named(table.schemaname, table.relname, column)


def _rows(select: pb.SelectStmt) -> Iterator[Sequence[pb.Node]]:
    """The rows that a query gives, as far as they stand in it."""
    for row in select.values_lists:
        yield row.list.items
    if select.target_list:
        yield [target.res_target.val for target in select.target_list]
    for side in (select.larg, select.rarg):
        if select.op != pb.SETOP_NONE and (side.target_list or side.values_lists or side.op != pb.SETOP_NONE):
            yield from _rows(side)


def _constants(nodes: Iterable[Message], column: str) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, pb.A_Const) and not node.isnull:
            yield node.location, column
