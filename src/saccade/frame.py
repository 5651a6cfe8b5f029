"""Results as DataFrames of pandas, which is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from saccade.errors import UsageError

if TYPE_CHECKING:
    from pandas import DataFrame


def data_frame(
    rows: Iterable[Sequence[Any]], columns: Sequence[str], *, index: Sequence[str] | None = None
) -> DataFrame:
    """Rows and names of columns as a frame; raises `UsageError` where pandas is not installed."""
    try:
        from pandas import DataFrame
    except ImportError as error:
        what = "to_frame needs pandas, which is not installed"
        raise UsageError(what, "pip install pandas; to_dict needs nothing") from error
    return DataFrame([*rows], columns=[*columns], index=None if index is None else [*index])
