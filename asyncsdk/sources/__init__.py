"""Contact files become phones.

Every reader here is an iterable of `Phone`s, one for each data row, so that a phone's index in the
report is its row's index in the file; what is wrong with a row is found by the upload's own check.
"""

from asyncsdk.sources.columns import ColumnChoice
from asyncsdk.sources.csv import CsvSource, Row, read_csv
from asyncsdk.sources.dialect import Dialect

__all__ = ["ColumnChoice", "CsvSource", "Dialect", "Row", "read_csv"]
