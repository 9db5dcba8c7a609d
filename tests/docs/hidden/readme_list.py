import xlsxwriter
with xlsxwriter.Workbook(folder / "list.xlsx") as book:
    rows = [["Mobil", "Anrede"], ["0160 1111111", "Frau"], ["0160 1111111", ""], ["x", "Herr"]]
    sheet = book.add_worksheet()
    for at, row in enumerate(rows):
        sheet.write_row(at, 0, row)
