"""One contact list, written in every format by the tools that people use for it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError
from tests.parts import ZSTD, module

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.sources import Source

__all__ = ["CODE_PAGES", "KONTAKTE", "WRITERS", "Rows", "fault_of", "kontakte", "western"]

KONTAKTE = Path(__file__).parents[2] / "examples" / "kontakte_de.csv"
Rows = list[list[str]]


def kontakte() -> Rows:
    """The messy list, header first; short rows are as long as the others."""
    with KONTAKTE.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter=";") if row]
    return [row + [""] * (len(rows[0]) - len(row)) for row in rows]


def western(rows: Rows) -> Rows:
    """The same rows in the characters of Windows-1252 and ISO-8859-15.

    They lack six that occur in the messy list: four letters, which lose what is foreign in them,
    and the marks of direction around some numbers, which go.
    """
    table = str.maketrans({"ć": "c", "ğ": "g", "ễ": "ê", "Ł": "L", "\u202a": "", "\u202c": ""})
    return [[cell.translate(table) for cell in row] for row in rows]


def fault_of(opened: Callable[[], Source]) -> SourceError | None:
    """What is wrong with a source that is opened and read twice, to its end; None if nothing is."""
    try:
        source = opened()
        assert len(list(source)) == source.count()
    except SourceError as error:
        return error
    return None


def _text(rows: Rows, delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def _csv(encoding: str, delimiter: str = ";") -> Callable[[Rows, Path], Path]:
    def write(rows: Rows, path: Path) -> Path:
        path.write_bytes(_text(rows, delimiter).encode(encoding))
        return path

    return write


def _objects(rows: Rows) -> list[dict[str, str]]:
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def _jsonl(rows: Rows, path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in _objects(rows)), encoding="utf-8")
    return path


def _json(rows: Rows, path: Path) -> Path:
    path.write_text(json.dumps(_objects(rows), indent=2), encoding="utf-8")
    return path


def _xlsx(rows: Rows, path: Path) -> Path:
    with module("xlsxwriter").Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return path


def _xls(rows: Rows, path: Path) -> Path:
    book = module("xlwt").Workbook()
    sheet = book.add_sheet("Kontakte")
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(at, column, cell)
    book.save(str(path))
    return path


def _ods(rows: Rows, path: Path) -> Path:
    table, text = module("odf.table"), module("odf.text")
    book = module("odf.opendocument").OpenDocumentSpreadsheet()
    sheet = table.Table(name="Kontakte")
    book.spreadsheet.addElement(sheet)
    for row in rows:
        line = table.TableRow()
        sheet.addElement(line)
        for cell in row:
            box = table.TableCell(valuetype="string")
            line.addElement(box)
            for paragraph in cell.split("\n") if cell else []:
                box.addElement(text.P(text=paragraph))
    book.save(str(path))
    return path


def _polars(rows: Rows, _: Path) -> Any:
    return module("polars").DataFrame(rows[1:], schema=rows[0], orient="row")


def _pandas(rows: Rows, _: Path) -> Any:
    cells = [[cell or None for cell in row] for row in rows[1:]]
    return module("pandas").DataFrame(cells, columns=rows[0])


def _parquet(rows: Rows, path: Path) -> Path:
    _polars(rows, path).write_parquet(path)
    return path


def _arrow(rows: Rows, path: Path) -> Path:
    _polars(rows, path).write_ipc(path)
    return path


def _arrow_stream(rows: Rows, path: Path) -> Path:
    _polars(rows, path).write_ipc_stream(path)
    return path


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[Rows, Path], Path]:
    def write(rows: Rows, path: Path) -> Path:
        path.write_bytes(pack(_text(rows, ",").encode()))
        return path

    return write


def _zstd(raw: bytes) -> bytes:
    compressed: bytes = module(ZSTD).compress(raw)
    return compressed


def _gzip(raw: bytes) -> bytes:
    compressed: bytes = module("gzip").compress(raw)
    return compressed


def _arrow_capsule(rows: Rows, path: Path) -> Any:
    frame = _polars(rows, path)

    class Capsule:
        """Nothing but the interface."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return frame.__arrow_c_stream__(requested_schema)

    return Capsule()


WRITERS: dict[str, Callable[[Rows, Path], Any]] = {
    "utf-8.csv": _csv("utf-8"),
    "utf-8-sig.csv": _csv("utf-8-sig", ","),
    "utf-16.txt": _csv("utf-16", "\t"),
    "utf-16-be.csv": _csv("utf-16-be"),
    "list.tsv": _csv("utf-8", "\t"),
    "list.csv.gz": _packed(_gzip),
    "list.csv.zst": _packed(_zstd),
    "list.jsonl": _jsonl,
    "list.json": _json,
    "list.xlsx": _xlsx,
    "list.xls": _xls,
    "list.ods": _ods,
    "list.parquet": _parquet,
    "list.arrow": _arrow,
    "list.arrows": _arrow_stream,
    "polars": _polars,
    "polars-lazy": lambda rows, path: _polars(rows, path).lazy(),
    "pandas": _pandas,
    "pyarrow": lambda rows, path: _polars(rows, path).to_arrow(),
    "capsule": _arrow_capsule,
}
"""Each writes the rows, header first, to the path, or gives a data frame of them."""

CODE_PAGES: dict[str, Callable[[Rows, Path], Any]] = {
    "windows-1252.csv": _csv("cp1252"),
    "iso-8859-15.csv": _csv("iso-8859-15", ","),
}
"""Likewise, of rows in western characters alone."""
