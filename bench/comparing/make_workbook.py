"""A workbook of synthetic stock (bench/stock.h), by openpyxl: python3 make_workbook.py PATH ROWS."""

import sys

import openpyxl


def main():
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet('stock')
    sheet.append(['item_no', 'name', 'district', 'counted', 'quantity', 'price'])
    for row in range(int(sys.argv[2])):
        mixed = row * 2_654_435_761 % 2**32
        sheet.append([f'{row + 1:010}', f'synthetic goods no. {mixed % 10_000_000}', f'{mixed % 900_000 + 100_000}',
                      f'{1990 + mixed % 36}{1 + mixed % 12:02}{1 + mixed % 28:02}', mixed % 10**9,
                      mixed % 10**7 / 100])
    workbook.save(sys.argv[1])


if __name__ == '__main__':
    main()
