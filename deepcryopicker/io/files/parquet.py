"""Write rows as Parquet, which keeps the types of columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.tables import is_number


def write_parquet(path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows as Parquet atomically: columns of numbers as float64, all others as text.

    Parameters
    ----------
    path : Path
    rows : sequence of mapping
        Missing keys and None become null.
    columns : sequence of str
        Keys to write, in this order.

    Raises
    ------
    UsageError
        Without pyarrow.
    """
    try:
        # Imported on demand, because it is optional.
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise UsageError(
            "Parquet needs pyarrow: pip install 'deepcryopicker[parquet]'\n"
            "or write csv=FILE, which needs nothing"
        ) from error
    arrays = [_column([row.get(name) for row in rows]) for name in columns]
    table = pyarrow.table(dict(zip(columns, map(pyarrow.array, arrays), strict=True)))
    with replacing(path) as temporary:
        parquet.write_table(table, temporary)


def _column(values: Sequence[object]) -> list[float | None] | list[str | None]:
    known = [value for value in values if value is not None]
    if known and all(map(is_number, known)):
        return [float(value) if is_number(value) else None for value in values]
    return [None if value is None else str(value) for value in values]
