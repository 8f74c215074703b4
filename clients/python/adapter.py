#!/usr/bin/env python3
"""An adapter of your own: a process that lends SQLite files to a Sluice gateway.

    adapter.py LISTEN FOLDER GATEWAY DATA
    adapter.py 0.0.0.0:9443 cobol spiffe://gov.example/gateway/gw1 /srv/data

FOLDER holds key.pem, certificate.pem (of .../agency/AGENCY/adapter/NAME) and authority.pem. GATEWAY
is the only caller that is answered. DATA holds the files: the source `cases` is DATA/cases.db. For
a system of another kind, write the class Tables anew; the rest stays as it is.

Needs grpcio and protobuf (Debian: python3-grpcio) and stubs, made as first_call.py says.
proto/sluice/v1/adapter.proto says what each call has to do; docs/adapters/remote.md how to run it.
"""

import concurrent.futures
import contextlib
import datetime
import os
import re
import signal
import sqlite3
import sys

import grpc
from google.rpc import error_details_pb2 as details
from sluice.v1 import adapter_pb2 as api, adapter_pb2_grpc, values_pb2 as values

MOST_ROWS, MOST_BYTES = 16_384, 1_000_000  # of a batch
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
KEYS = {values.FIELD_TYPE_BOOL, values.FIELD_TYPE_INT64, values.FIELD_TYPE_FLOAT64,
        values.FIELD_TYPE_DATE32, values.FIELD_TYPE_UTF8, values.FIELD_TYPE_BINARY}
CODES = grpc.StatusCode


class Failure(Exception):
    """Ends a call: a gRPC code, a text for the operator, and where a bad value stands."""
    def __init__(self, code, text, **where):
        super().__init__(text)
        self.code, self.where = code, where


def to_value(raw, kind):
    """What is stored, as the field's type; ValueError where it is not. Nothing is guessed."""
    value = values.Value()
    if raw is None:
        pass
    elif kind.type == values.FIELD_TYPE_UTF8 and type(raw) is str:
        raw.encode()  # fails where it was not UTF-8
        value.string_value = raw
    elif kind.type == values.FIELD_TYPE_INT64 and type(raw) is int:
        value.int64_value = raw
    elif kind.type == values.FIELD_TYPE_BOOL and type(raw) is int and raw in (0, 1):
        value.bool_value = bool(raw)
    elif kind.type == values.FIELD_TYPE_FLOAT64 and type(raw) is float:
        value.double_value = raw
    elif kind.type == values.FIELD_TYPE_BINARY and type(raw) is bytes:
        value.bytes_value = raw
    elif kind.type == values.FIELD_TYPE_DATE32 and type(raw) is str:
        if datetime.date.fromisoformat(raw).isoformat() != raw:
            raise ValueError('a date in another form')
        value.date_value = raw
    elif kind.type in (values.FIELD_TYPE_TIMESTAMP_UTC, values.FIELD_TYPE_TIMESTAMP_LOCAL) \
            and type(raw) is str:
        since = datetime.datetime.fromisoformat(raw.removesuffix('Z')).replace(tzinfo=UTC) - EPOCH
        value.timestamp_value.seconds = since.days * 86_400 + since.seconds
        value.timestamp_value.nanos = since.microseconds * 1000
    elif kind.type == values.FIELD_TYPE_DECIMAL128 and type(raw) in (int, str):
        parts = re.fullmatch(r'(-?)(\d+)(?:\.(\d+))?', str(raw), re.ASCII)
        if not parts:
            raise ValueError('no decimal number')
        whole, fraction = parts[2].lstrip('0'), (parts[3] or '').ljust(kind.scale, '0')
        if len(fraction) > kind.scale or len((whole + fraction).lstrip('0')) > kind.precision:
            raise ValueError('too many digits')
        value.decimal_value = parts[1] + (whole or '0') + ('.' + fraction if fraction else '')
    else:
        raise ValueError('another type')
    return value


def from_value(value):
    """A value of a request, to be bound as a parameter; None for null."""
    name = value.WhichOneof('kind')
    return name and getattr(value, name)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Tables:
    """One source, for one call: what a legacy system has to answer."""
    def __init__(self, path, context):
        self.path, self.database = path, None
        context.add_callback(self.stop)

    @contextlib.contextmanager
    def open(self):
        self.database = sqlite3.connect(f'file:{self.path}?mode=ro', uri=True, timeout=2)
        try:
            self.database.text_factory = lambda raw: raw.decode('utf-8', 'surrogateescape')
            yield self.database
        finally:
            self.database.close()

    def stop(self):
        """The call was given up, from another thread: what runs ends."""
        with contextlib.suppress(AttributeError, sqlite3.ProgrammingError):
            self.database.interrupt()

    def version(self):
        """Another one whenever the file, or its log, was written."""
        stamps = [os.stat(path) for path in (self.path, self.path + '-wal') if os.path.exists(path)]
        return api.SourceVersion(version=' '.join(f'{s.st_mtime_ns}-{s.st_size}' for s in stamps))

    def names(self, database):
        return [name for name, in database.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite_%' ORDER BY name")]

    def describe(self, database, table):
        described = api.TableDescription(table=table, version=self.version())
        columns = database.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)',
                                   (table,)).fetchall()
        kinds = {'INT': values.FIELD_TYPE_INT64, 'BOOL': values.FIELD_TYPE_BOOL,
                 'REAL': values.FIELD_TYPE_FLOAT64, 'DATETIME': values.FIELD_TYPE_TIMESTAMP_LOCAL,
                 'DATE': values.FIELD_TYPE_DATE32, 'BLOB': values.FIELD_TYPE_BINARY}
        for name, declared, not_null, _ in columns:
            kind = next((kinds[word] for word in kinds if word in declared.upper()),
                        values.FIELD_TYPE_UTF8)
            described.columns.add(name=name, type=values.ColumnType(type=kind), not_null=not_null,
                                  source_type=declared)
        keys = [[name for _, name in sorted((pk, name) for name, _, _, pk in columns if pk)]]
        for index, in database.execute('SELECT name FROM pragma_index_list(?) '
                                       'WHERE "unique" AND NOT partial', (table,)):
            keys.append([name for name, in database.execute(
                'SELECT name FROM pragma_index_info(?) ORDER BY seqno', (index,))])
        for key in keys:
            if key and None not in key and key not in [list(k.columns) for k in
                                                       described.unique_keys]:
                described.unique_keys.add(columns=key)
        return described

    def statement(self, database, request, position):
        """The rows behind a position, in the key's order, as SQL and its parameters."""
        known = [name for name, in database.execute('SELECT name FROM pragma_table_info(?)',
                                                    (request.table,))]
        if not known:
            raise Failure(CODES.NOT_FOUND, f'no table {request.table!r}')
        if not request.key and ('table', 0) not in database.execute(
                'SELECT type, wr FROM pragma_table_list(?)', (request.table,)).fetchall():
            raise Failure(CODES.FAILED_PRECONDITION, f'{request.table!r} is read by a key only')
        for field in request.fields:
            if field.column not in known:
                raise Failure(CODES.FAILED_PRECONDITION, f'no column {field.column!r}')
        if any(request.fields[place].type.type not in KEYS for place in request.key):
            raise Failure(CODES.FAILED_PRECONDITION, 'a key whose texts sort as its values do not')
        columns = [quoted(field.column) for field in request.fields]
        key = [columns[place] + ' COLLATE BINARY' for place in request.key] or ['rowid']
        behind, parameters = [], []
        for i in range(len(key) if position else 0):  # (a > ?) OR (a IS ? AND b > ?) ...
            more = 'IS NOT NULL' if position[i] is None else '> ?'
            behind.append(' AND '.join([f'{k} IS ?' for k in key[:i]] + [f'{key[i]} {more}']))
            parameters += position[:i] + ([] if position[i] is None else [position[i]])
        where = ['(' + ' OR '.join(behind) + ')'] if behind else []
        for leaf in self.equalities(request.predicate):
            if request.fields[leaf.field].type.type in (values.FIELD_TYPE_UTF8,
                                                        values.FIELD_TYPE_INT64):
                where.append(f'{columns[leaf.field]} = ?')
                parameters.append(from_value(leaf.values[0]))
        return (f'SELECT {", ".join(columns + key[:1])} FROM {quoted(request.table)}'
                f'{" WHERE " + " AND ".join(where) if where else ""} ORDER BY {", ".join(key)} '
                f'LIMIT ?', parameters)

    def equalities(self, predicate):
        """What has to hold for all that is wanted, and is easy. The gateway sees to the rest."""
        if predicate.op == api.PREDICATE_OP_EQUAL:
            yield predicate
        elif predicate.op == api.PREDICATE_OP_AND:
            for child in predicate.children:
                yield from self.equalities(child)

    def scan(self, request):
        """Batches, each by a statement of its own: no lock is held while nobody asks for more."""
        position = [from_value(value) for value in request.after.values]
        limit = min(request.rows_wanted or MOST_ROWS, MOST_ROWS)
        version, count, ended = self.version(), 0, False
        while not ended:
            batch, answer = values.RowBatch(), api.ScanResponse(version=version)
            size, ended = 0, True
            for field in request.fields:
                batch.columns.add(name=field.name, type=field.type)
            with self.open() as database:
                sql, parameters = self.statement(database, request, position)
                for raw in database.execute(sql, parameters + [limit]):
                    size += sum(16 + (len(one) * 3 if type(one) is str else len(one)
                                      if type(one) is bytes else 0) for one in raw)
                    if size > MOST_BYTES and batch.rows:
                        ended = False
                        break
                    self.add_row(request, raw, batch, answer, count + len(batch.rows) + 1)
                    position = [raw[place] for place in request.key] or [raw[-1]]
                    ended = len(batch.rows) < limit
            count += len(batch.rows)
            limit = min(limit * 4, MOST_ROWS)
            if batch.rows:
                answer.rows = batch.SerializeToString()
            if batch.rows or ended:
                yield answer

    def add_row(self, request, raw, batch, answer, number):
        row = batch.rows.add()
        for place, field in enumerate(request.fields):
            try:
                value = to_value(raw[place], field.type)
                if field.not_null and raw[place] is None:
                    raise ValueError('null')
            except ValueError:
                if not request.null_bad_values or field.not_null or place in request.key:
                    raise Failure(CODES.DATA_LOSS, f'column {field.column!r}, row {number}',
                                  row=str(number), field=field.name) from None
                value = values.Value()
                answer.bad_cells.add(row=len(batch.rows) - 1, field=place)
            row.values.append(value)


class Adapter(adapter_pb2_grpc.AdapterServicer):
    """The service: who may call, which source is meant, and what failures are to a gateway."""
    def __init__(self, gateway, data):
        self.gateway, self.data = gateway, data

    @contextlib.contextmanager
    def source(self, name, context):
        try:
            # The library has checked who signed the certificate; whom it names is ours to check.
            if context.auth_context().get('peer_spiffe_id') != [self.gateway.encode()]:
                raise Failure(CODES.PERMISSION_DENIED, f'this adapter answers {self.gateway} only')
            path = os.path.join(self.data, name + '.db')
            if not re.fullmatch('[a-z0-9-]+', name) or not os.path.isfile(path):
                raise Failure(CODES.INVALID_ARGUMENT, f'no source {name!r}')
            yield Tables(path, context)
        except Failure as failure:
            if failure.where:
                status = details.Status(code=failure.code.value[0])
                status.details.add().Pack(details.ErrorInfo(
                    reason='SOURCE_BAD_VALUE', domain='sluice', metadata=failure.where))
                context.set_trailing_metadata(
                    [('grpc-status-details-bin', status.SerializeToString())])
            context.abort(failure.code, str(failure))
        except (sqlite3.Error, OSError) as error:
            context.abort(CODES.UNAVAILABLE, f'{name}: {error}')

    def Probe(self, request, context):
        with self.source(request.source, context) as tables, tables.open() as database:
            tables.names(database)
        return api.ProbeResponse()

    def Describe(self, request, context):
        with self.source(request.source, context) as tables, tables.open() as database:
            names = tables.names(database)
            if request.table and request.table not in names:
                raise Failure(CODES.NOT_FOUND, f'no table {request.table!r}')
            return api.DescribeResponse(tables=[tables.describe(database, name) for name in names
                                                if request.table in ('', name)])

    def Scan(self, request, context):
        with self.source(request.source, context) as tables:
            yield from tables.scan(request)


def main(listen, folder, gateway, data):
    def read(name):
        with open(os.path.join(folder, name), 'rb') as file:
            return file.read()
    credentials = grpc.ssl_server_credentials(
        [(read('key.pem'), read('certificate.pem'))], read('authority.pem'),
        require_client_auth=True)
    # A scan holds a thread while it runs: as many scans, and lookups beside them, run at once.
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), options=[
        ('grpc.max_receive_message_length', 1 << 20), ('grpc.so_reuseport', 0)])
    adapter_pb2_grpc.add_AdapterServicer_to_server(Adapter(gateway, data), server)
    port = server.add_secure_port(listen, credentials)
    if not port:
        sys.exit(f'cannot listen at {listen}')
    server.start()
    print(f'serving at {listen.rsplit(":", 1)[0]}:{port}', flush=True)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(10))  # what runs has ten seconds
    server.wait_for_termination()


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
