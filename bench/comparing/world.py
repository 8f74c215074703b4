"""Everything that measurements run on. Each thing is made when the first one asks for it, and all
of them end together."""

import contextlib
import functools
import json
import os
import threading
from concurrent import futures

from comparing import data, peers, postgres, processes
from comparing.gateway import PERMITS, PERSONS, Gateway

MEDIA_TYPES = {
    'arrow': 'application/vnd.apache.arrow.stream',
    'ndjson': 'application/x-ndjson',
    'csv': 'text/csv',
}
MEMORY_ROWS = 500_000
SIZES = {'1 MB': 5_000, '100 MB': 600_000, '1 GB': 6_000_000}  # in rows of permits
CONNECTIONS = (1, 100, 1000)
RECORD_BYTES = 1400  # that a record of a lookup takes in the log, at most


class World:
    """`seconds`: of each measurement. `encoding`: of bulk reads, a key of MEDIA_TYPES."""

    def __init__(self, seconds, encoding):
        self.seconds = seconds
        self.media_type = MEDIA_TYPES[encoding]
        self.ends = contextlib.ExitStack()

    def close(self):
        self.ends.close()

    def _until_close(self, server):
        self.ends.callback(server.stop)
        return server

    def _started(self, gateway, seconds=60):
        self._until_close(gateway)
        gateway.start(seconds)
        return gateway

    # Gateways.

    @functools.cached_property
    def gateway(self):
        """Residents and permits, both from sqlite."""
        gateway = Gateway('deployment')
        gateway.make()
        self._started(gateway)
        gateway.lend_persons()
        gateway.lend_permits(f'kind: sqlite\nfile: {data.permits()}', 'permit')
        return gateway

    @functools.cached_property
    def memory_gateway(self):
        """Permits from memory."""
        gateway = Gateway('deployment-memory', 'bench_sluiced')
        gateway.make()
        self._started(gateway)
        gateway.lend_permits('kind: memory\nheld_batches: 64', f'permits_{MEMORY_ROWS}')
        return gateway

    @functools.cached_property
    def postgres(self):
        return self._until_close(postgres.Postgres())

    @functools.cached_property
    def postgres_gateway(self):
        """Residents and permits, both from PostgreSQL."""
        return self._lending('deployment-postgres', self.postgres.source())

    @functools.cached_property
    def odbc_gateway(self):
        """The same through unixODBC and PostgreSQL's own driver."""
        return self._lending('deployment-odbc', self.postgres.odbc_source())

    @functools.cached_property
    def remote_gateway(self):
        """The same through `sluiced --adapter`, which has them from PostgreSQL."""
        gateway = Gateway('deployment-remote')
        gateway.make()
        adapter, residents, permits = gateway.lend_through_adapter(self.postgres.source())
        self._until_close(adapter)
        gateway.use_for_persons(residents)
        self._started(gateway)
        gateway.lend_persons()
        gateway.lend_permits(permits, 'permit')
        return gateway

    def _lending(self, name, settings):
        gateway = Gateway(name)
        gateway.make()
        gateway.use_for_persons(settings)
        self._started(gateway)
        gateway.lend_persons()
        gateway.lend_permits(settings, 'permit')
        return gateway

    @functools.cached_property
    def resident(self):
        """Permits of several sizes, none of which the source holds. Not running: what is measured
        is a fresh process."""
        gateway = Gateway('deployment-resident', 'bench_sluiced')
        gateway.make()
        self._started(gateway)
        for size, rows in SIZES.items():
            gateway.lend_permits('kind: memory\nheld_batches: 1', f'permits_{rows}',
                                 'permits-' + size.replace(' ', '').lower())
        gateway.stop()
        return gateway

    @functools.cache
    def grown(self, records):
        """A gateway whose log has so many records. Kept between runs: that takes its time."""
        gateway = Gateway(f'deployment-{records}-records')
        mark = gateway.path('grown')
        if not (os.path.exists(mark) and gateway.is_kept()):
            processes.say(f'making a log of {records:,} records in {gateway.folder}')
            processes.need_space(records * RECORD_BYTES)
            gateway.make()
            self._started(gateway)
            gateway.lend_persons()
            self.lookups(gateway, 1, 0.1)
            gateway.stop()
            processes.run(processes.tool('bench_grow_log'), '--deployment', gateway.folder,
                          '--records', str(records))
            with open(mark, 'w', encoding='ascii') as file:
                file.write(f'{records}\n')
        # The first start counts the log from its beginning.
        return self._started(gateway, 1200)

    def lookups_while_indexing(self, in_flight, records):
        """While the search index of so many records is made anew, which takes longer than they do."""
        gateway = self.grown(records)
        gateway.sluice('operator', 'audit', 'rebuild-index')
        return self.lookups_per_second(in_flight, gateway)

    def lookups_while_asking(self, in_flight, records, *command):
        """While an auditor asks a gateway with so many records the same again and again. His tool, which
        would have a machine of its own, takes what processor time is left."""
        gateway = self.grown(records)
        asked, done = [], threading.Event()

        def ask():
            while not done.is_set():
                gateway.sluice_behind('auditor', *command)
                asked.append(command)

        with futures.ThreadPoolExecutor(1) as auditor:
            asking = auditor.submit(ask)
            try:
                found = self.lookups_per_second(in_flight, gateway)
            finally:
                done.set()
            asking.result()
        if not asked:
            raise processes.Failed(f'sluice {command[0]} did not end once')
        return found

    @functools.cache
    def searches(self):
        """Medians of first pages, in µs, by the records in the log and what is searched for: asked for the first
        time, and once more."""
        lines = processes.run(processes.tool('bench_search'), '--records', str(10**7), '--json')
        found = {}
        for line in lines.splitlines():
            one = json.loads(line)
            found[(one['records'], one['search'])] = one['again_us']
            found[(one['records'], one['search'], 'first')] = one['first_us']
        return found

    # Peers.

    @functools.cached_property
    def bare(self):
        return self._until_close(peers.BareServer(self.gateway, self.media_type))

    @functools.cached_property
    def nginx(self):
        return self._until_close(peers.Nginx(self.gateway, self.bare.plain_port))

    @functools.cached_property
    def haproxy(self):
        return self._until_close(peers.Haproxy(self.gateway, self.bare.plain_port))

    # Work. Each is one measurement, in the unit that its name says.

    def lookups(self, gateway, in_flight, seconds):
        return gateway.load('query', '--in-flight', in_flight, '--seconds', seconds, '--keys',
                            data.resident_keys(), '--dataset', PERSONS, '--purpose', 'relief',
                            '--case', 'R-0118', '--key-field', 'id_number')

    @functools.cached_property
    def _lookup_sizes(self):
        return self.lookups(self.gateway, 1, 0.2)

    def lookups_per_second(self, in_flight, gateway=None):
        return self.lookups(gateway or self.gateway, in_flight, self.seconds)['calls_per_second']

    def bare_lookups_per_second(self, in_flight, port):
        return self.gateway.load('lookup', '--in-flight', in_flight, '--seconds', self.seconds,
                                 '--keys', data.resident_keys(), port=port)['calls_per_second']

    def echoes_per_second(self, in_flight):
        return self.gateway.load(
            'echo', '--in-flight', in_flight, '--seconds', self.seconds, '--request-bytes',
            self._lookup_sizes['request_bytes'], '--reply-bytes', self._lookup_sizes['reply_bytes'],
            port=self.bare.port)['calls_per_second']

    def _read(self, gateway, dataset, *more):
        return gateway.load('read', '--in-flight', 1, '--connections', 1, '--dataset', dataset,
                            '--purpose', 'relief', '--case', 'R-0118', '--media-type',
                            self.media_type, *more)

    def read_mb_per_second(self, gateway):
        return self._read(gateway, PERMITS, '--seconds',
                          self.seconds)['payload_bytes_per_second'] / 1e6

    def read_rows_per_second(self, gateway):
        """Of one whole read of the permits in PostgreSQL."""
        took = self._read(gateway, PERMITS, '--streams', 1)
        return self.postgres.permits * took['payload_bytes_per_second'] / took['payload_bytes']

    @functools.cached_property
    def _read_sizes(self):
        return self._read(self.memory_gateway, PERMITS, '--streams', 1)

    def bare_stream_mb_per_second(self, work, port):
        """`work`: "stream", of as many bytes in as many batches as the gateway's; or "scan"."""
        more = []
        if work == 'stream':
            batches = self._read_sizes['stream_batches']
            more = ['--batches', batches, '--batch-bytes',
                    self._read_sizes['stream_bytes'] // batches]
        return self.gateway.load(work, '--in-flight', 1, '--connections', 1, '--seconds',
                                 self.seconds, *more, port=port)['payload_bytes_per_second'] / 1e6

    def appends_per_second(self):
        """Of the log, and of the bare loop: they run one after the other in one program."""
        turn = processes.json_of(
            processes.tool('bench_append'), '--folder', os.path.join(processes.FOLDER, 'appends'),
            '--seconds', str(self.seconds), '--turns', '1')
        return {'log': turn['log_per_second'], 'bare': turn['bare_per_second']}

    def peak_mib_of_reads(self):
        """Of one fresh process after reads of each size, the smallest first."""
        gateway, peaks = self.resident, {}
        gateway.start()
        try:
            for size in SIZES:
                gateway.server.forget_peak()
                self._read(gateway, 'public-security/permits-' + size.replace(' ', '').lower(),
                           '--streams', 1)
                peaks[size] = gateway.server.memory('VmHWM') / 2**20
        finally:
            gateway.stop()
        return peaks

    def mib_with_connections(self):
        """Of one fresh process with so many connections open, over which nothing goes."""
        gateway, sizes = self.resident, {}
        gateway.start()
        try:
            with contextlib.ExitStack() as held:
                open_already = 0
                for count in CONNECTIONS:
                    held.enter_context(gateway.idle_connections(count - open_already))
                    open_already = count
                    sizes[count] = gateway.server.memory('VmRSS') / 2**20
        finally:
            gateway.stop()
        return sizes
