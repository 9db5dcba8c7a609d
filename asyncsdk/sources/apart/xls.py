"""How the cells of an old workbook (.xls) are shown, by xlrd."""

from __future__ import annotations

import io
from typing import IO, Any

from attrs import frozen

from asyncsdk.errors import SourceError
from asyncsdk.sources.apart.dressing import adds
from asyncsdk.sources.apart.shown import Shown

__all__ = ["OldBook", "opened_xls"]

_UNKNOWN = "its hidden rows and number formats cannot be read: save it as .xlsx"


@frozen
class OldBook:
    """A workbook of which the values are read by somebody else."""

    book: Any

    def shown(self, sheet: str) -> Shown:
        """How the sheet of this name is shown.

        Raises:
            SourceError: Nobody can tell.
        """
        seen = Shown(styles=self._styles())
        try:
            read = self.book.sheet_by_name(sheet)
        except Exception as error:
            raise SourceError(_UNKNOWN, line=1) from error
        for at in range(read.nrows):
            if _is_hidden(read, at):
                seen.hidden.add(at + 1)
            for column in range(read.row_len(at)) if seen.styles else ():
                seen.note(at + 1, column, read.cell_xf_index(at, column))
        self.book.unload_sheet(sheet)
        return seen

    def _styles(self) -> dict[int, str]:
        forms = {key: form.format_str for key, form in self.book.format_map.items()}
        styles = {at: forms.get(xf.format_key, "") for at, xf in enumerate(self.book.xf_list)}
        return {at: form for at, form in styles.items() if adds(form)}


def opened_xls(file: IO[bytes]) -> OldBook:
    """A workbook that is read as far as its sheets, which are read when they are looked at.

    Args:
        file: It.

    Raises:
        SourceError: It cannot be read.
        ImportError: xlrd is not installed.
    """
    import xlrd

    file.seek(0)
    try:
        book = xlrd.open_workbook(
            file_contents=file.read(),
            logfile=io.StringIO(),
            formatting_info=True,
            on_demand=True,
            ignore_workbook_corruption=True,
        )
    except Exception as error:
        raise SourceError(_UNKNOWN, line=1) from error
    return OldBook(book)


def _is_hidden(sheet: Any, at: int) -> bool:
    row = sheet.rowinfo_map.get(at)
    return bool(sheet.default_row_hidden if row is None else row.hidden or row.height == 0)
