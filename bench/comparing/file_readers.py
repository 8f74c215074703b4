"""What reads a file of synthetic stock (bench/stock.h) without Sluice: python3 file_readers.py KIND PATH.

Written as an analyst would: each value becomes text, a date, a whole number or a decimal, once. Prints rows
a second of one pass over the file.
"""

import csv
import datetime
import decimal
import json
import struct
import sys
import time


def _date(text):
    return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def delimited(path):
    with open(path, encoding='gb18030', newline='') as file:
        reader = csv.reader(file)
        next(reader)
        for item, name, district, counted, quantity, price in reader:
            yield item, name, district, _date(counted), int(quantity), decimal.Decimal(price)


def fixed(path):
    record = struct.Struct('10s20s6s8s9s13sx')
    with open(path, 'rb') as file:
        while chunk := file.read(record.size * 10_000):
            for item, name, district, counted, quantity, price in record.iter_unpack(chunk):
                yield (item.decode(), name.decode().rstrip(), district.decode(), _date(counted),
                       int(quantity), decimal.Decimal(price.decode().strip()))


def _packed(value):
    digits = value.hex()
    return -int(digits[:-1]) if digits[-1] == 'd' else int(digits[:-1])


def copybook(path):
    record = struct.Struct('10s20s6s8s5s6s')
    cent = decimal.Decimal('0.01')
    with open(path, 'rb') as file:
        while chunk := file.read(record.size * 10_000):
            for item, name, district, counted, quantity, price in record.iter_unpack(chunk):
                yield (item.decode('cp037'), name.decode('cp037').rstrip(), district.decode('cp037'),
                       _date(counted.decode('cp037')), _packed(quantity), _packed(price) * cent)


def xlsx(path):
    import openpyxl  # pylint: disable=import-outside-toplevel
    sheet = openpyxl.load_workbook(path, read_only=True).active
    rows = sheet.iter_rows(values_only=True)
    next(rows)
    for item, name, district, counted, quantity, price in rows:
        yield item, name, district, _date(counted), quantity, decimal.Decimal(str(price))


def main():
    read, path = {'delimited': delimited, 'fixed': fixed, 'copybook': copybook, 'xlsx': xlsx}[sys.argv[1]], sys.argv[2]
    begin, rows = time.monotonic(), 0
    for _ in read(path):
        rows += 1
    print(json.dumps({'rows': rows, 'rows_per_second': rows / (time.monotonic() - begin)}))


if __name__ == '__main__':
    main()
