"""The rows: what is measured, against what, and what the ratio shall be."""

import dataclasses
import statistics
from typing import Callable, Optional

from comparing import files
from comparing import world as worlds

IN_FLIGHT = (1, 64, 256)
GROWN = {10**4: '10⁴', 10**6: '10⁶', 10**7: '10⁷'}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A number to be measured; those of one key are measured once a turn. Where `measure` gives
    several, `part` is the one meant."""
    key: str
    measure: Callable
    part: object = None


class Turn:
    """One round: remembers what was measured in it."""

    def __init__(self):
        self._measured = {}

    def value(self, measure):
        if measure.key not in self._measured:
            self._measured[measure.key] = measure.measure()
        value = self._measured[measure.key]
        return value if measure.part is None else value[measure.part]


@dataclasses.dataclass
class Row:
    """The work (a) and what it is measured against (b)."""
    group: str
    work: str
    against: str
    unit: str
    a: Measure
    b: Measure
    goal: Optional[float] = None
    at_most: bool = False
    # A measurement that takes long is not repeated beyond this.
    most_turns: int = 1000
    by_default: bool = True
    # Says more of the medians: (a, b) -> text.
    note: Optional[Callable] = None
    pairs: list = dataclasses.field(default_factory=list)

    def text(self):
        return f'{self.group}: {self.work}, against {self.against}'

    def take(self, turn):
        self.pairs.append((turn.value(self.a), turn.value(self.b)))

    def result(self):
        ratios = [a / b for a, b in self.pairs]
        a, b = (statistics.median(values) for values in zip(*self.pairs))
        ratio = statistics.median(ratios)
        held = None
        if self.goal is not None:
            held = ratio <= self.goal if self.at_most else ratio >= self.goal
        return {'group': self.group, 'work': self.work, 'against': self.against, 'unit': self.unit,
                'a': round(a, 2), 'b': round(b, 2), 'ratio': round(ratio, 3), 'low': round(min(ratios), 3),
                'high': round(max(ratios), 3), 'goal': self.goal, 'at_most': self.at_most,
                'held': held, 'turns': len(self.pairs),
                'note': self.note(a, b) if self.note else ''}


def _lookups(world):
    goals = {('bare', 64): 0.8, ('echo', 64): 0.55, ('echo', 256): 0.7, ('nginx', 64): 1.5}
    rows = []
    for n in IN_FLIGHT:
        against = {
            'bare': ('a bare gRPC server over mTLS, same lookup',
                     lambda n=n: world.bare_lookups_per_second(n, world.bare.port)),
            'echo': ('a bare gRPC echo over mTLS, same sizes',
                     lambda n=n: world.echoes_per_second(n)),
            'nginx': ('nginx grpc_pass, mTLS, access log, before the same lookup',
                      lambda n=n: world.bare_lookups_per_second(n, world.nginx.port)),
            'haproxy': ('HAProxy, mTLS, access log, before the same lookup',
                        lambda n=n: world.bare_lookups_per_second(n, world.haproxy.port)),
        }
        for kind, (text, measure) in against.items():
            rows.append(Row('lookups', f'point lookups from sqlite, {n} in flight', text, '/s',
                            Measure(f'lookups {n}', lambda n=n: world.lookups_per_second(n)),
                            Measure(f'{kind} {n}', measure), goals.get((kind, n))))
    return rows


def _bulk(world, encoding):
    memory = Measure('read from memory', lambda: world.read_mb_per_second(world.memory_gateway))
    sqlite = Measure('read from sqlite', lambda: world.read_mb_per_second(world.gateway))

    def bare(work, server):
        return lambda: world.bare_stream_mb_per_second(work, getattr(world, server).port)
    name = {'arrow': 'Arrow', 'ndjson': 'JSON lines', 'csv': 'CSV'}[encoding]
    return [
        Row('bulk', f'bulk read from memory, {name}',
            'a bare gRPC stream of the same bytes over mTLS', 'MB/s', memory,
            Measure('bare stream', bare('stream', 'bare')), 0.75),
        Row('bulk', f'bulk read from memory, {name}',
            'nginx grpc_pass, mTLS, access log, before that stream', 'MB/s', memory,
            Measure('nginx stream', bare('stream', 'nginx'))),
        Row('bulk', f'bulk read from sqlite, {name}',
            'the same scan, encoding and stream over mTLS, neither policy nor audit', 'MB/s',
            sqlite, Measure('bare scan', bare('scan', 'bare')), 0.85),
        Row('bulk', f'bulk read from sqlite, {name}',
            'nginx grpc_pass, mTLS, access log, before that scan', 'MB/s', sqlite,
            Measure('nginx scan', bare('scan', 'nginx'))),
    ]


def _databases(world):
    def lookups(gateway):
        return lambda: world.lookups_per_second(64, getattr(world, gateway))

    def bulk(gateway):
        return lambda: world.read_rows_per_second(getattr(world, gateway))
    pgbench = Measure('pgbench', lambda: world.postgres.lookups_per_second(64, world.seconds))
    copy = Measure('psql copy', lambda: world.postgres.copied_rows_per_second())
    rows = []
    for kind, gateway, goals in (('postgres', 'postgres_gateway', (0.7, 1.0)),
                                 ('odbc', 'odbc_gateway', (None, None)),
                                 ('remote', 'remote_gateway', (None, None))):
        rows.append(Row('databases', f'point lookups from {kind}, 64 in flight',
                        'pgbench -M prepared, 64 clients, TLS with client certificates, pgaudit',
                        '/s', Measure(f'lookups {kind}', lookups(gateway)), pgbench, goals[0]))
        rows.append(Row('databases', f'bulk read from {kind}, Arrow',
                        'psql COPY … TO STDOUT of the same rows over TLS, pgaudit', 'rows/s',
                        Measure(f'bulk {kind}', bulk(gateway)), copy, goals[1]))
    return rows


def _files(world):
    rows = []
    for kind, other in files.OTHERS.items():
        read = f'read of {kind}'
        whole = Measure(read, lambda kind=kind: _both_speeds(kind, files.whole_read(kind)), 'rows')
        work = f'{"first" if kind == "xlsx" else "whole"} read of {kind}, {files.ROWS[kind]:,} rows, no gateway'
        rows.append(Row('files', work, f'{other}, same file and types', 'rows/s', whole,
                        Measure(f'other {kind}', lambda kind=kind: files.others_rows_per_second(kind)), 1.0))
        rows.append(Row('files', work, 'memcpy of as many bytes', 'MB/s', dataclasses.replace(whole, part='MB'),
                        Measure(f'memcpy {kind}', lambda kind=kind: files.copied_mb_per_second(kind))))
    for kind in files.OTHERS:
        large, small = ('1,000,000 rows', '50,000 rows') if kind == 'xlsx' else ('2 GB', '10 MB')
        rows.append(Row('large', f'resident memory, {large} of {kind} read', f'{small} read', 'MiB',
                        Measure(f'peak large {kind}', lambda kind=kind: files.peak_mib(kind, True)),
                        Measure(f'peak small {kind}', lambda kind=kind: files.peak_mib(kind, False)), 1.1,
                        at_most=True, most_turns=1, by_default=False))
    sqlite = Measure('stock in sqlite', lambda: files.lookups_per_second('sqlite', world.seconds))
    for kind in ('delimited', 'fixed', 'copybook', 'dbf'):
        rows.append(Row('large', f'lookups by key in {kind}, 10⁷ records, no gateway',
                        'the adapter sqlite, same rows', '/s',
                        Measure(f'stock in {kind}', lambda kind=kind: files.lookups_per_second(kind, world.seconds)),
                        sqlite, 0.5, most_turns=3, by_default=False))
    return rows


def _both_speeds(kind, read):
    """Of reading a version anew where other programs have to do the same: unpack the sheet; else of a version whose
    digest and order are known."""
    share = read['rows'] / read['first_seconds'] / read['rows_per_second'] if kind == 'xlsx' else 1
    return {'rows': read['rows_per_second'] * share, 'MB': read['bytes_per_second'] * share / 1e6}


def _appends(world):
    return [Row('appends', 'audit appends, 64 in flight, 512 bytes',
                'a bare loop of the same writes and syncs', '/s',
                Measure('appends', world.appends_per_second, 'log'),
                Measure('appends', world.appends_per_second, 'bare'), 0.8)]


def _memory(world):
    rows = []
    for size, goal in (('100 MB', None), ('1 GB', 1.1)):
        rows.append(Row('memory', f'resident memory, {size} read', '1 MB read', 'MiB',
                        Measure('peak', world.peak_mib_of_reads, size),
                        Measure('peak', world.peak_mib_of_reads, '1 MB'), goal, at_most=True,
                        most_turns=3))
    for count in worlds.CONNECTIONS[1:]:
        rows.append(Row('memory', f'resident memory, {count:,} idle connections, mTLS',
                        '1 idle connection', 'MiB',
                        Measure('connections', world.mib_with_connections, count),
                        Measure('connections', world.mib_with_connections, 1), at_most=True,
                        most_turns=3,
                        note=lambda a, b, count=count:
                        f'{(a - b) * 1024 / (count - 1):.0f} KiB a connection'))
    return rows


def _growth(world):
    def measure(records):
        return Measure(f'lookups at {records}',
                       lambda: world.lookups_per_second(64, world.grown(records)))
    # A tool that is started again and again takes its part of the processor, whatever it asks.
    asking = Measure('lookups, whoami meanwhile',
                     lambda: world.lookups_while_asking(64, 10**6, 'whoami'))
    return [Row('growth', f'point lookups, 64 in flight, log of {GROWN[records]} records',
                f'log of {GROWN[10**4]} records', '/s', measure(records), measure(10**4), 0.9,
                by_default=False) for records in (10**6, 10**7)] + [
        Row('index', f'point lookups, 64 in flight, index of {GROWN[10**6]} records made anew meanwhile',
            f'log of {GROWN[10**4]} records', '/s',
            Measure('lookups while indexing', lambda: world.lookups_while_indexing(64, 10**6)),
            measure(10**4), 0.9, by_default=False)] + [
        Row('auditor', f'point lookups, 64 in flight, {doing} of {GROWN[10**6]} records meanwhile',
            against, '/s',
            Measure(f'lookups, {doing} meanwhile',
                    lambda command=command: world.lookups_while_asking(64, 10**6, *command)),
            other, 0.9, by_default=False)
        for doing, command, against, other in (
            ('searches', ('audit', 'search', '--dataset', worlds.PERSONS, '--limit', '100'),
             'the same tool asking who it is', asking),
            ('reports', ('audit', 'report', '--since', '365d'), f'log of {GROWN[10**4]} records',
             measure(10**4)))]


SEARCHES = ('a person seen every 1,000 records', 'a person seen once', 'a person, with what is possible',
            'an agency\'s day', 'a case')


def _searches(world):
    def measure(records, search):
        return Measure('searches', world.searches, (records, search))
    return [Row('searches', f'first page of {search}, {GROWN[10**7]} records, no gateway', f'{GROWN[10**4]} records',
                'µs', measure(10**7, search), measure(10**4, search), 2.0, at_most=True, most_turns=1,
                by_default=False,
                note=lambda a, b, search=search:
                f'{world.searches()[(10**7, search, "first")]:.0f} µs where the disk is asked')
            for search in SEARCHES]


def make_rows(world, encoding):
    return (_lookups(world) + _bulk(world, encoding) + _databases(world) + _files(world) + _appends(world) + _memory(world)
            + _growth(world) + _searches(world))


def measure_rows(rows, turns, say):
    """Each row as often as it takes part. In each turn the other way round than in the one before,
    so that a machine that slows down or warms up favours neither side."""
    for number in range(turns):
        taking_part = [row for row in rows if number < row.most_turns]
        say(f'turn {number + 1} of {turns}')
        turn = Turn()
        for row in taking_part if number % 2 == 0 else reversed(taking_part):
            row.take(turn)
            a, b = row.pairs[-1]
            say(f'  {row.text()}: {a:,.0f} {row.unit} against {b:,.0f}, ratio {a / b:.2f}')
