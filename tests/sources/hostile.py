"""Small files that ask whoever reads them for more than a machine has."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.parts import module

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BOMBS", "ods", "outside", "xlsx"]

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
_ODS_PARTS = {
    "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
    "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0"/>',
}
_MEBI = 1 << 20
_GIGABYTE = 1_200_000_000


_MAIN = f"{_OFFICE}/spreadsheetml/2006/main"
_SHEET = f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>'.encode()


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
    return _zipped({**_ODS_PARTS, "content.xml": _ODS.format(rows)})


def _cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def _repeated(rows: int, columns: int) -> str:
    return (
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell '
        f'table:number-columns-repeated="{columns}" office:value-type="string">'
        "<text:p>0160111111</text:p></table:table-cell></table:table-row>"
    )


def _packed(head: bytes, filling: bytes, size: int) -> bytes:
    """A stream that unpacks to this head and so many bytes of filling, packed once."""
    squeeze = zlib.compressobj(9, wbits=-15)
    begin = squeeze.compress(head) + squeeze.flush(zlib.Z_FULL_FLUSH)
    block = filling * (_MEBI // len(filling))
    packed = squeeze.compress(block) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return begin + packed * (size // len(block)) + squeeze.flush()


def _gz(head: bytes, filling: bytes, size: int = _GIGABYTE) -> bytes:
    """The same as gzip has it. Nobody comes to its end, where a sum of it would stand."""
    return b"\x1f\x8b\x08" + bytes(7) + _packed(head, filling, size) + bytes(8)


def _zip(name: str, head: bytes, filling: bytes, others: bytes = b"") -> bytes:
    """The same as a file in an archive, behind those of another one."""
    packed, size = _packed(head, filling, _GIGABYTE), len(head) + _GIGABYTE
    at = others.rfind(b"PK\x05\x06")
    count, length, start = (
        struct.unpack("<HII", others[at + 10 : at + 20]) if at >= 0 else (0, 0, 0)
    )
    sizes = struct.pack("<IIIHH", 0, len(packed), size, len(name), 0)
    common = struct.pack("<HHHHH", 20, 0, zipfile.ZIP_DEFLATED, 0, 33)
    local = b"PK\x03\x04" + common + sizes + name.encode() + packed
    entry = b"PK\x01\x02\x14\x00" + common + sizes + struct.pack("<HHHII", 0, 0, 0, 0, start)
    listed = others[start : start + length] + entry + name.encode()
    end = struct.pack("<HHHHIIH", 0, 0, count + 1, count + 1, len(listed), start + len(local), 0)
    return others[:start] + local + listed + b"PK\x05\x06" + end


def _texts(texts: str, before: str = "") -> bytes:
    """A spreadsheet with these texts, which its cells share."""
    cells = '<c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c>'
    rels = _RELS.format("worksheet", "worksheets/sheet1.xml").removesuffix("</Relationships>")
    shared = f'<Relationship Id="rId2" Type="{_REL}/sharedStrings" Target="sharedStrings.xml"/>'
    main = f"{_OFFICE}/spreadsheetml/2006/main"
    return _zipped(
        {
            **_XLSX,
            "xl/_rels/workbook.xml.rels": f"{rels}{shared}</Relationships>",
            "xl/sharedStrings.xml": f'{before}<sst xmlns="{main}">{texts}</sst>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1">{cells}'
            "</row></sheetData></worksheet>",
        }
    )


_TWO = "<si><t>Mobil</t></si><si><t>{}</t></si>"


def _many_texts() -> bytes:
    """A million of them, of which two are used."""
    return _texts(_TWO.format("0160111111") + "<si><t>x</t></si>" * 1_000_000)


def _entities(name: str) -> str:
    """Ten entities, each of which is ten of the one before; the last has this name."""
    names = [f"e{at}" for at in range(9)] + [name]
    pairs = pairwise(names)
    return f'<!ENTITY {names[0]} "0160111111">' + "".join(
        f'<!ENTITY {other} "{f"&{one};" * 10}">' for one, other in pairs
    )


def _spreadsheetml(cell: str, before: str = "") -> bytes:
    name = "urn:schemas-microsoft-com:office:spreadsheet"
    data = '<Row><Cell><Data ss:Type="String">{}</Data></Cell></Row>'
    return (
        f'<?xml version="1.0"?>{before}<?mso-application progid="Excel.Sheet"?><Workbook '
        f'xmlns="{name}" xmlns:ss="{name}"><Worksheet ss:Name="a"><Table>{data.format("Mobil")}'
        f"{data.format(cell)}</Table></Worksheet></Workbook>"
    ).encode()


def _html(cell: str, before: str = "") -> bytes:
    return (
        f"{before}<html><table><tr><th>Mobil</th></tr><tr><td>{cell}</td></tr></table></html>"
    ).encode()


_DEEP = 100_000


def outside(url: str) -> dict[str, bytes]:
    """Lists whose number is what stands at a place outside of them."""
    before = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>'
    remote = f'<!DOCTYPE html SYSTEM "{url}">'
    return {
        "texts.xlsx": _texts(_TWO.format("&e;"), before),
        "sheet.xml": _spreadsheetml("&e;", before),
        "remote.xml": _spreadsheetml("0160111111", f'<!DOCTYPE Workbook SYSTEM "{url}">'),
        "page.html": _html("&e;", before),
        "remote.html": _html(f'<img src="{url}"><iframe src="{url}"></iframe>0160111111', remote),
        "page.xhtml": b'<?xml version="1.0"?>' + _html("&e;", before),
    }


def _far() -> bytes:
    phones = f'<row r="1">{_cell("A1", "Mobil")}</row><row r="2">{_cell("A2", "0160111111")}</row>'
    return xlsx(f'{phones}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


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


def _books() -> bytes:
    """What a workbook has besides its one sheet."""
    return _zipped(_XLSX)


def _zipped_bytes(raw: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("list.zip", raw)
    return held.getvalue()


def _array(size: int) -> bytes:
    item = b'{"phone":"0160111111"},'
    return b"[" + item * (size // len(item)) + b'{"phone":"0160111111"}]'


BOMBS: dict[str, Callable[[], bytes]] = {
    "far.xlsx": _far,
    "laughs.xlsx": _laughs,
    "repeated.ods": lambda: ods(_repeated(20_000, 1000)),
    "repeated-beyond.ods": lambda: ods(_repeated(2**31, 2**31)),
    "repeated-row.ods": lambda: ods(_repeated(2**63, 1)),
    "far.xlsx.gz": lambda: gzip.compress(_far()),
    "blanks.xlsx.gz": lambda: _gz(_far(), b"\0"),
    "long-text.parquet": _parquet,
    "page.parquet": _parquet_page,
    "blanks.parquet.gz": lambda: _gz(b"PAR1", b"\0"),
    "keys.jsonl.gz": lambda: gzip.compress(_lines(100, 3000)),
    "array.json.gz": lambda: gzip.compress(_array(8 * _MEBI)),
    "long-item.json": lambda: b'[{"phone":"' + b"1" * 30 * _MEBI + b'"}]',
    "deep.json": lambda: b"[" * 30 * _MEBI,
    "long-line.csv": lambda: b"Mobil\n" + b"1" * 30 * _MEBI,
    "commas.csv": lambda: b"Mobil;x\n0160111111;a\n" + b";" * 30 * _MEBI,
    "rows.csv.gz": lambda: _gz(b"Mobil\n", b"1" * 100_000 + b"\n"),
    "columns.csv": lambda: b"Mobil" + b";x" * 150_000 + b"\n0160111111\n",
    "gigabyte-cell.xlsx": lambda: _zip(
        "xl/worksheets/sheet1.xml", _SHEET + b'<row r="1"><c t="inlineStr"><is><t>', b"a", _books()
    ),
    "gigabyte-text.xlsx": lambda: _zip("xl/sharedStrings.xml", b"<sst><si><t>", b"a", xlsx("")),
    "gigabyte-cell.ods": lambda: _zip(
        "content.xml",
        _ODS.partition("{}")[0].encode() + b"<table:table-row>",
        b"a",
        _zipped(_ODS_PARTS),
    ),
    "gigabyte-line.csv.gz": lambda: _gz(b"Mobil\n", b"1"),
    "gigabyte-lines.csv.gz": lambda: _gz(b"Mobil\n", b"0160111111\n"),
    "gigabyte-line.vcf.gz": lambda: _gz(b"BEGIN:VCARD\r\nFN:", b"a"),
    "gigabyte-number.vcf.gz": lambda: _gz(b"BEGIN:VCARD\r\nTEL:", b"1\r\n "),
    "gigabyte-cards.vcf.gz": lambda: _gz(b"", b"BEGIN:VCARD\r\nTEL:0160111111\r\nEND:VCARD\r\n"),
    "endless.json.gz": lambda: _gz(b"[1", b","),
    "endless-array.json.gz": lambda: _gz(b"[0", b',{"phone":"0160111111"}'),
    "endless-text.json.gz": lambda: _gz(b'["', b"1"),
    "endless-number.json.gz": lambda: _gz(b'[{"phone":', b"1"),
    "gigabyte.jsonl.gz": lambda: _gz(b'{"phone":"', b"1"),
    "gigabyte.html.gz": lambda: _gz(b"<html><table><tr><td>", b"a"),
    "gigabyte.xml.gz": lambda: _gz(_spreadsheetml("").partition(b"</Data>")[0], b"a"),
    "gigabyte.zip": lambda: _zip("list.csv", b"Mobil\n", b"0160111111\n"),
    "gigabyte.zip.gz": lambda: gzip.compress(_zip("list.csv", b"Mobil\n", b"0160111111\n")),
    "zip.zip": lambda: _zipped_bytes(_zip("list.csv", b"Mobil\n", b"0160111111\n")),
    "texts.xlsx": _many_texts,
    "laughs-texts.xlsx": lambda: _texts(_TWO.format("&e;"), f"<!DOCTYPE sst [{_entities('e')}]>"),
    "laughs.xml": lambda: _spreadsheetml("&e;", f"<!DOCTYPE Workbook [{_entities('e')}]>"),
    "laughs.html": lambda: _html("&e;", f"<!DOCTYPE html [{_entities('e')}]>"),
    "laughs.xhtml": lambda: (
        b'<?xml version="1.0"?>' + _html("&e;", f"<!DOCTYPE html [{_entities('e')}]>")
    ),
    "deep.html": lambda: _html("<div>" * _DEEP + "0160111111"),
    "deep-tables.html": lambda: _html("<table><tr><td>" * _DEEP + "0160111111"),
    "deep.xml": lambda: _spreadsheetml("<B>" * _DEEP + "0160111111" + "</B>" * _DEEP),
    "deep.ods": lambda: ods("<table:table-row>" * _DEEP),
    "deep.xlsx": lambda: xlsx("<row>" * _DEEP),
    "wide.html": lambda: _html("</td><td>" * 100_000),
    "spans.html": lambda: _html("</td><td colspan=1000 rowspan=60000>x" * 1000),
}
"""Each makes the bytes of one, named by what it is."""
