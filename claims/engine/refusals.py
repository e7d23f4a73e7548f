"""Reasons for which a whole file is refused, and the limits behind some of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MIB = 1 << 20


class Reason(StrEnum):
    """Why no row of the file is taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNKNOWN_FORMAT = "unknown_format"
    BROKEN_ENCODING = "broken_encoding"
    BROKEN_ROWS = "broken_rows"
    WRONG_COLUMNS = "wrong_columns"
    WRONG_COUNTY = "wrong_county"
    WRONG_PERIOD = "wrong_period"
    TOO_MANY_BAD_ROWS = "too_many_bad_rows"

    @property
    def title(self) -> str:  # type: ignore[override]
        return _TITLES[self.value]


_TITLES = {
    "empty": "文件是空的", "too_large": "文件超出限额", "unknown_format": "文件格式不支持", "broken_encoding": "文件编码损坏",
    "broken_rows": "行的结构损坏", "wrong_columns": "列不符", "wrong_county": "不是申报的县",
    "wrong_period": "不是申报的期间", "too_many_bad_rows": "差错行过多",
}


@dataclass(frozen=True)
class Refusal:
    """A refused file: reason, what was found, what to do (Chinese, without any person's data)."""

    reason: Reason
    text: str
    remedy: str
    found: tuple[str, ...] = ()


class RefusedFileError(Exception):
    """Raised inside the engine; ``check_file`` turns it into a result that carries the refusal."""

    def __init__(self, reason: Reason, text: str, remedy: str, found: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.refusal = Refusal(reason, text, remedy, found)


@dataclass(frozen=True)
class Limits:
    """Sizes beyond which a file is refused, and what DuckDB may use."""

    file_bytes: int = 8192 * MIB
    rows: int = 30_000_000
    xlsx_unpacked_bytes: int = 1024 * MIB
    xlsx_ratio: int = 150
    xlsx_rows: int = 300_000
    columns: int = 400
    bad_share: float = 0.05
    issues_per_code: int = 1000
    memory: str = "1GB"
    threads: int = 2
