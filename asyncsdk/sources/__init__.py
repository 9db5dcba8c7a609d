"""Contact lists become phones.

`read` takes any file or data frame. Every reader here is an iterable, and an async iterable, of
`Phone`s, one for each data row, so that a phone's index in the report is its row's index in the
list; what is wrong with a row is found by the upload's own check.
"""

from asyncsdk.sources.columns import Column, ColumnChoice
from asyncsdk.sources.csv import CsvSource, read_csv
from asyncsdk.sources.dialect import Dialect
from asyncsdk.sources.excel import ExcelSource, read_excel
from asyncsdk.sources.frames import FrameSource, read_arrow, read_frame, read_parquet
from asyncsdk.sources.json import JsonSource, read_json
from asyncsdk.sources.many import ManySources
from asyncsdk.sources.questions import Option, Question, UndecidedError
from asyncsdk.sources.read import read
from asyncsdk.sources.table import Row, Source, Table
from asyncsdk.sources.vcards import VcardSource, read_vcards

__all__ = [
    "Column",
    "ColumnChoice",
    "CsvSource",
    "Dialect",
    "ExcelSource",
    "FrameSource",
    "JsonSource",
    "ManySources",
    "Option",
    "Question",
    "Row",
    "Source",
    "Table",
    "UndecidedError",
    "VcardSource",
    "read",
    "read_arrow",
    "read_csv",
    "read_excel",
    "read_frame",
    "read_json",
    "read_parquet",
    "read_vcards",
]
