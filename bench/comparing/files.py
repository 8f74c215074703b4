"""Adapters of files alone, beside what reads the same file without Sluice."""

import os
import subprocess
import time

from comparing import data, processes

READERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'file_readers.py')
# What does the same work, from Debian's packages.
OTHERS = {'delimited': "Python's csv", 'fixed': "Python's struct", 'copybook': "Python's struct and decimal",
          'dbf': 'dbview', 'xlsx': 'openpyxl, read only'}
ROWS = {'delimited': 1_000_000, 'fixed': 1_000_000, 'copybook': 1_000_000, 'dbf': 1_000_000, 'xlsx': 100_000}
SMALL = {'xlsx': 50_000}   # rows; of the others 10 MB
LARGE = {'xlsx': 1_000_000}  # a sheet has at most 1,048,576; of the others 2 GB
INDEXED = 10_000_000


def _bench(command, kind, path, *more):
    form = ['sheet'] if kind == 'xlsx' else [command, kind]
    return processes.json_of(processes.tool('bench_files'), *form, path, *more)


def whole_read(kind, rows=None):
    """`rows_per_second`, `bytes_per_second`, `peak_bytes` of one read of all columns."""
    return _bench('scan', kind, data.stock(kind, rows or ROWS[kind]))


def copied_mb_per_second(kind):
    """What memcpy does with as many bytes."""
    return processes.json_of(processes.tool('bench_files'), 'copy',
                             data.stock(kind, ROWS[kind]))['bytes_per_second'] / 1e6


def others_rows_per_second(kind):
    path = data.stock(kind, ROWS[kind])
    if kind != 'dbf':
        return processes.json_of(processes.PYTHON, READERS, kind, path)['rows_per_second']
    begin = time.monotonic()
    subprocess.run([processes.installed('dbview'), '-b', path], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, check=True)
    return ROWS[kind] / (time.monotonic() - begin)


def peak_mib(kind, large):
    """Of a fresh process that reads a file twice."""
    sizes, size = (LARGE, 2_000_000_000) if large else (SMALL, 10_000_000)
    rows = sizes.get(kind) or size // data.STOCK_ROW_BYTES[kind]
    return whole_read(kind, rows)['peak_bytes'] / 2**20


def lookups_per_second(kind, seconds):
    """By the key, one after the other, once the index is there and the file is in the page cache."""
    path = data.stock(kind, INDEXED)
    with open(path, 'rb') as file:
        while file.read(1 << 20):
            pass
    return _bench('lookups', kind, path, '--rows', str(INDEXED), '--seconds',
                  str(2 * seconds))['lookups_per_second']
