"""Where PostgreSQL is asked in other words than SQLite: lists as arrays, many rows as one.

A list in an `IN` is a parameter for each of its members: a database would parse, plan and keep a
statement for each length that occurs. An array is one parameter, whatever its length, and so is a
JSON text, which SQLite has in its place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Insert,
    Integer,
    SQLColumnExpression,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, TypeEngine

POSTGRESQL = "postgresql"


class _JsonList(TypeDecorator[Sequence[str]]):
    """A list of texts, as a JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, _: Dialect) -> str:
        return as_json(value or ())


def as_json(given: Sequence[str] | Sequence[tuple[str, str]]) -> str:
    """Return a list of texts, or pairs, as SQLite takes it. Raises `ValueError` for a NUL in one.

    It ends the text for SQLite: what begins like it would be found. PostgreSQL refuses it too.
    """
    text = msgspec.json.encode(given).decode()
    if "\\u0000" in text and "\0" in "".join(chain.from_iterable(given)):
        raise ValueError("a NUL in what is looked for")
    return text


class OneOf(ColumnElement[bool]):
    """A column of text is one of a list, which is the parameter of the given name."""

    inherit_cache = True  # and no type: SQLite would be asked for `x IN (…) = 1`, and scan
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy wants it, for its cache of statements
        ("in_list", InternalTraversal.dp_clauseelement),
        ("in_array", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, wanted: SQLColumnExpression[str], name: str) -> None:
        given = func.json_each(bindparam(name, type_=_JsonList)).table_valued(
            "value", name="listed"
        )
        self.in_list = wanted.in_(select(given.c.value))
        self.in_array = wanted == any_(bindparam(name, type_=ARRAY(Text)))


@compiles(OneOf)
def _in_list(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.in_list, **options)


@compiles(OneOf, POSTGRESQL)
def _in_array(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.in_array, **options)


def rows_of_arrays(names: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """Return PostgreSQL's rows of arrays side by side. Each array is a parameter.

    Columns have these names, parameters one more `s`: if an UPDATE has a column of a parameter's
    name, SQLAlchemy sets it.
    """
    kinds = {
        name: BigInteger() if isinstance(kind, Integer) else Text() for name, kind in names.items()
    }
    arrays = (bindparam(f"{name}s", type_=ARRAY(kind)) for name, kind in kinds.items())
    columns = (column(name, kind) for name, kind in kinds.items())
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


def as_arrays(rows: Sequence[Mapping[str, object]], names: Iterable[str]) -> dict[str, object]:
    """Return the parameters of `rows_of_arrays` that stand for these rows."""
    return {f"{name}s": [row[name] for row in rows] for name in names}


class ForEach:
    """An `INSERT` or `UPDATE` that SQLite does for each of many rows.

    Its driver is handed the rows as they are; their names are those of the parameters. SQLAlchemy
    would go through each value of each row, and do nothing to it: columns must be text and numbers,
    as the database has them.
    """

    def __init__(self, statement: Insert | Update) -> None:
        named = sqlite.dialect(paramstyle="named")
        self._text = str(statement.compile(dialect=named))

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Do it for the rows, at least one."""
        connection.exec_driver_sql(self._text, list(rows))


class Upsert:
    """`INSERT … ON CONFLICT` of any number of rows into a table, in one statement.

    `on_conflict` adds what is done with a row that is there already: it gets the `INSERT`, whose
    `excluded` is the new row. The rows of a call have the same columns, and no key twice. It is
    PostgreSQL's `INSERT`, which SQLite says in the same words.
    """

    def __init__(
        self,
        into: Table,
        on_conflict: Callable[[Any], Any],
        *,
        columns: Sequence[str] | None = None,
    ) -> None:
        self._columns = {name: into.c[name].type for name in columns or into.c.keys()}
        self._each = on_conflict(insert(into).values(self._parameters()))
        given = select(rows_of_arrays(self._columns))
        self._arrays = on_conflict(insert(into).from_select(list(self._columns), given))

    def _parameters(self) -> dict[str, Any]:
        return {name: bindparam(name, type_=kind) for name, kind in self._columns.items()}

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert the rows, at least one."""
        if connection.dialect.name == POSTGRESQL:
            connection.execute(self._arrays, as_arrays(rows, self._columns))
        else:
            connection.execute(self._each, rows)
