"""PostgreSQL's plan of a statement as a process prepares it: for its parameters, or for any.

From the sixth time on PostgreSQL may keep the one for any. `EXPLAIN` of a text with parameters
shows the one for these, whatever `plan_cache_mode` says: what is explained here is prepared first.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection

Mode = Literal["force_custom_plan", "force_generic_plan"]
MODES: tuple[Mode, ...] = ("force_custom_plan", "force_generic_plan")


def explain(
    connection: Connection, text: str, given: Sequence[object], mode: Mode, options: str = "COSTS"
) -> Sequence[Any]:
    """Return the rows of the plan. Among the options of `EXPLAIN`, ANALYZE runs the statement."""
    connection.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    connection.exec_driver_sql(f"PREPARE explained AS {text}")
    values = f"({', '.join(map(_literal, given))})" if given else ""
    rows = connection.exec_driver_sql(f"EXPLAIN ({options}) EXECUTE explained{values}")
    plan = rows.scalars().all()
    connection.exec_driver_sql("DEALLOCATE explained")
    return plan


def _literal(value: object) -> str:
    """Return a parameter as text of which PostgreSQL makes what its place wants."""
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        items = ("NULL" if item is None else json.dumps(str(item)) for item in value)
        return _literal("{" + ",".join(items) + "}")
    return "'" + str(value).replace("'", "''") + "'"
