"""Small files that ask whoever reads them for more than a machine has."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from typing import TYPE_CHECKING

from tests.parts import module

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BOMBS", "ods", "xlsx"]

_OFFICE = "http://schemas.openxmlformats.org"
_REL = f"{_OFFICE}/officeDocument/2006/relationships"
_RELS = (
    f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/{{}}" Target="{{}}"/></Relationships>'
)
_XLSX = {
    "[Content_Types].xml": f'<Types xmlns="{_OFFICE}/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": _RELS.format("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": f'<workbook xmlns="{_OFFICE}/spreadsheetml/2006/main" xmlns:r="{_REL}">'
    '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": _RELS.format("worksheet", "worksheets/sheet1.xml"),
}
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODS = (
    f'<office:document-content xmlns:office="{_ODF}:office:1.0" xmlns:table="{_ODF}:table:1.0" '
    f'xmlns:text="{_ODF}:text:1.0"><office:body><office:spreadsheet><table:table table:name="S">'
    "{}</table:table></office:spreadsheet></office:body></office:document-content>"
)
_MEBI = 1 << 20


def _zipped(files: dict[str, str]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0"?>{text}' if "." in name else text)
    return raw.getvalue()


def xlsx(rows: str) -> bytes:
    """A spreadsheet with these rows."""
    start, end = f'<worksheet xmlns="{_OFFICE}/spreadsheetml/2006/main"><sheetData>', "</sheetData>"
    return _zipped({**_XLSX, "xl/worksheets/sheet1.xml": f"{start}{rows}{end}</worksheet>"})


def ods(rows: str) -> bytes:
    """The same as an OpenDocument."""
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return _zipped({"mimetype": kind, "content.xml": _ODS.format(rows)})


def _cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def _repeated(rows: int, columns: int) -> str:
    return (
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell '
        f'table:number-columns-repeated="{columns}" office:value-type="string">'
        "<text:p>0160111111</text:p></table:table-cell></table:table-row>"
    )


def _far() -> bytes:
    phones = f'<row r="1">{_cell("A1", "Mobil")}</row><row r="2">{_cell("A2", "0160111111")}</row>'
    return xlsx(f'{phones}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def _long_cell() -> bytes:
    return xlsx(f'<row r="1">{_cell("A1", "a" * 150 * _MEBI)}</row>')


def _laughs() -> bytes:
    """Entities of entities."""
    entities = '<!ENTITY a0 "0160111111">' + "".join(
        f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 10)
    )
    files = {**_XLSX, "xl/worksheets/sheet1.xml": f"<!DOCTYPE x [{entities}]><x>&a9;</x>"}
    return _zipped(files)


def _parquet() -> bytes:
    """A column that is one text, over and over."""
    pa, raw = module("pyarrow"), io.BytesIO()
    column = pa.DictionaryArray.from_arrays([0] * 20_000, ["0160111111" * 100_000])
    module("pyarrow.parquet").write_table(pa.table({"Mobil": column}), raw)
    return raw.getvalue()


def _parquet_page() -> bytes:
    """A page that says that it is as large as can be."""
    pl, raw = module("polars"), io.BytesIO()
    pl.DataFrame({"Mobil": ["0160111111"] * 100}).write_parquet(raw, compression="zstd")
    whole = bytearray(raw.getvalue())
    whole[5:9] = struct.pack("<I", 0xFEFFFFFF)
    return bytes(whole)


def _lines(count: int, keys: int) -> bytes:
    """Objects of which each has keys of its own."""
    return b"".join(
        json.dumps({f"k{line}_{at}": "" for at in range(keys)} | {"phone": "0160111111"}).encode()
        + b"\n"
        for line in range(count)
    )


def _array(size: int) -> bytes:
    item = b'{"phone":"0160111111"},'
    return b"[" + item * (size // len(item)) + b'{"phone":"0160111111"}]'


BOMBS: dict[str, Callable[[], bytes]] = {
    "far.xlsx": _far,
    "long-cell.xlsx": _long_cell,
    "laughs.xlsx": _laughs,
    "repeated.ods": lambda: ods(_repeated(20_000, 1000)),
    "repeated-beyond.ods": lambda: ods(_repeated(2**31, 2**31)),
    "repeated-row.ods": lambda: ods(_repeated(2**63, 1)),
    "far.xlsx.gz": lambda: gzip.compress(_far()),
    "blanks.xlsx.gz": lambda: gzip.compress(_far() + b"\0" * 200 * _MEBI),
    "long-text.parquet": _parquet,
    "page.parquet": _parquet_page,
    "blanks.parquet.gz": lambda: gzip.compress(b"PAR1" + b"\0" * 200 * _MEBI),
    "keys.jsonl.gz": lambda: gzip.compress(_lines(1000, 3000)),
    "array.json.gz": lambda: gzip.compress(_array(40 * _MEBI)),
    "long-item.json": lambda: b'[{"phone":"' + b"1" * 150 * _MEBI + b'"}]',
    "deep.json": lambda: b"[" * 50 * _MEBI,
    "long-line.csv": lambda: b"Mobil\n" + b"1" * 150 * _MEBI,
    "commas.csv": lambda: b"Mobil;x\n0160111111;a\n" + b";" * 150 * _MEBI,
    "rows.csv.gz": lambda: gzip.compress(b"Mobil\n" + (b"1" * 100_000 + b"\n") * 1800),
    "columns.csv": lambda: b"Mobil" + b";x" * 150_000 + b"\n0160111111\n",
}
"""Each makes the bytes of one, named by what it is."""
