"""Where PostgreSQL is asked in other words than SQLite: lists as arrays, many rows as one.

A list in an `IN` is a parameter for each of its members: PostgreSQL would parse, plan and keep a
statement for each length that occurs. An array is one parameter, whatever its length.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    SQLColumnExpression,
    Text,
    any_,
    bindparam,
    column,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

POSTGRESQL = "postgresql"


class OneOf(ColumnElement[bool]):
    """A column of text is one of a list, which is the parameter of the given name."""

    inherit_cache = True  # and no type: SQLite would be asked for `x IN (…) = 1`, and scan
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy wants it, for its cache of statements
        ("in_list", InternalTraversal.dp_clauseelement),
        ("in_array", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, wanted: SQLColumnExpression[str], name: str) -> None:
        self.in_list = wanted.in_(bindparam(name, expanding=True))
        self.in_array = wanted == any_(bindparam(name, type_=ARRAY(Text)))


@compiles(OneOf)
def _in_list(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.in_list, **options)


@compiles(OneOf, POSTGRESQL)
def _in_array(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.in_array, **options)


def rows_of_arrays(names: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """Return PostgreSQL's rows of arrays side by side: parameters and columns have these names."""
    kinds = {
        name: BigInteger() if isinstance(kind, BigInteger) else Text()
        for name, kind in names.items()
    }
    arrays = (bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items())
    columns = (column(name, kind) for name, kind in kinds.items())
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


def as_arrays(rows: Sequence[Mapping[str, object]], names: Iterable[str]) -> dict[str, object]:
    """Return the parameters of `rows_of_arrays` that stand for these rows."""
    return {name: [row[name] for row in rows] for name in names}
