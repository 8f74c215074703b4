"""Synthetic rows in SQLite files, made once and kept between runs."""

import os

from comparing import processes

PERSONS = 200_000
KEYS = 20_000
PERMITS = 500_000
STOCK_ROW_BYTES = {'delimited': 68, 'fixed': 67, 'copybook': 55, 'dbf': 67, 'sqlite': 75}  # about


def _made(name, make):
    """A file that `make` writes where it is not there yet; never half of it."""
    folder = os.path.join(processes.FOLDER, 'data')
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        half = path + '.half'
        if os.path.exists(half):
            os.remove(half)
        make(half)
        os.rename(half, path)
    return path


def residents():
    """A register of persons who do not exist, as the sample's."""
    sql = os.path.join(processes.ROOT, 'script', 'demo.d', 'persons.sql')
    return _made(f'residents-{PERSONS}.db', lambda path: processes.run(
        'sqlite3', path, f'.parameter set @persons {PERSONS}', f'.read {sql}'))


def resident_keys():
    """Identity numbers of some, a line each: spread over the whole register, so that no page of it
    is hotter than another."""
    def make(path):
        keys = processes.run(
            'sqlite3', residents(),
            'SELECT id_no FROM (SELECT id_no, row_number() OVER () AS n FROM resident)'
            f' WHERE n % {PERSONS // KEYS} = 0')
        with open(path, 'w', encoding='ascii') as file:
            file.write(keys)
    return _made(f'residents-{PERSONS}-keys.txt', make)


def permits():
    """Wide rows for bulk reads (bench/permits.h)."""
    return _made(f'permits-{PERMITS}.db', lambda path: processes.run(
        processes.tool('bench_make_permits'), '--database', path, '--rows', str(PERMITS)))


def stock(kind, rows):
    """Narrow rows for readers of files (bench/stock.h), in the form that the adapter of that kind reads."""
    if kind == 'xlsx':
        return _made(f'stock-{rows}.xlsx', lambda path: processes.run(
            processes.PYTHON, os.path.join(os.path.dirname(__file__), 'make_workbook.py'), path, str(rows)))
    processes.need_space(rows * STOCK_ROW_BYTES[kind])

    def make(path):
        processes.run(processes.tool('bench_files'), 'make', kind, path, '--rows', str(rows))
        if os.path.exists(path + '.cpy'):
            os.replace(path + '.cpy', path.removesuffix('.half') + '.cpy')
    return _made(f'stock-{rows}.{kind}', make)
