"""A gateway as `sluice init --sample` makes it, with datasets to measure with."""

import contextlib
import glob
import os
import re
import shutil
import subprocess
import time

from comparing import data, processes

# Certificates and revocation lists are good for 90 days.
KEPT_SECONDS = 60 * 24 * 3600
PERSONS = 'public-security/persons'
PERMITS = 'public-security/permits'


class Gateway:
    """A deployment in a folder of its own. Made anew by `make`; runs between `start` and `stop`."""

    def __init__(self, name, program='sluiced'):
        self.folder = os.path.join(processes.FOLDER, name)
        self.program = program
        self.port = None
        self.server = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        processes.run(processes.tool('sluice'), 'init', self.folder, '--sample', '--listen',
                      f'localhost:{processes.free_port()}')
        self.edit('sources/residents.yaml', r'^file: .*$', f'file: {data.residents()}')
        # The sample's quota and queue are for people who try things out.
        self.edit('grants/persons-relief.yaml', r'^quota: .*$',
                  'quota: {calls_per_minute: 100000000, rows_per_day: 1000000000, day: "+08:00"}')
        self.edit('sources/residents.yaml', r'^limits: .*$',
                  'limits: {connections: 2, queue: 1024, statement: 10s}')

    def is_kept(self):
        """Whether one that was made before can go on."""
        made = self.path('seed.yaml')
        return os.path.exists(made) and time.time() - os.path.getmtime(made) < KEPT_SECONDS

    def edit(self, name, pattern, replacement):
        with open(self.path(name), encoding='utf-8') as file:
            text, count = re.subn(pattern, lambda match: replacement, file.read(),
                                  flags=re.MULTILINE)
        if count != 1:
            raise processes.Failed(f'{name}: {pattern} stands there {count} times')
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)

    def start(self, seconds=60):
        """`seconds`: how long it may take to serve."""
        self.port = processes.free_port()
        self.edit('sluiced.yaml', r'^listen: .*$', f'listen: "localhost:{self.port}"')
        for profile in glob.glob(self.path('profiles/*.yaml')):
            self.edit(os.path.relpath(profile, self.folder), r'^gateway: .*$',
                      f'gateway: "localhost:{self.port}"')
        log = self.path('sluiced.log')
        self.server = processes.Server(
            'the gateway', [processes.tool(self.program), '--config', self.path('sluiced.yaml')],
            log, output=os.devnull)
        self.server.await_that(self._answers, seconds)

    def _answers(self):
        asked = subprocess.run(
            [processes.tool('sluice'), '--profile', self.path('profiles/operator.yaml'), 'status'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False)
        return asked.returncode == 0

    def stop(self):
        if self.server is not None:
            self.server.stop()

    def sluice(self, profile, *arguments):
        return processes.run(processes.tool('sluice'), '--profile',
                             self.path(f'profiles/{profile}.yaml'), *arguments,
                             stderr=subprocess.PIPE)

    def sluice_behind(self, profile, *arguments):
        """As `sluice`, behind whatever else runs."""
        return processes.run('nice', '-n', '19', processes.tool('sluice'), '--profile',
                             self.path(f'profiles/{profile}.yaml'), *arguments,
                             stderr=subprocess.PIPE)

    def apply(self, source, dataset, grant):
        for profile, kind, file in (('operator', 'source', source),
                                    ('residents-owner', 'catalogue', dataset),
                                    ('residents-owner', 'grant', grant)):
            if file is not None:
                self.sluice(profile, kind, 'apply', self.path(file))

    def lend_persons(self):
        """The sample's residents."""
        self.apply('sources/residents.yaml', 'datasets/persons.yaml', 'grants/persons-relief.yaml')

    def use_for_persons(self, settings):
        """Settings of the residents' source, by its YAML; before they are lent."""
        self.edit('sources/residents.yaml', r'^limits: .*$',
                  'limits: {connections: 8, queue: 1024, statement: 10s}')
        self.edit('sources/residents.yaml', r'^kind: .*\nfile: .*$', settings)

    def lend_permits(self, settings, table, name='permits'):
        """Permits as the dataset public-security/NAME. `settings`: of their source, by its YAML."""
        for kind in ('source', 'dataset', 'grant'):
            file = f'{kind}-{name}.yaml'
            shutil.copy(os.path.join(processes.ROOT, 'bench', 'permits', f'{kind}.yaml'),
                        self.path(file))
        self.edit(f'source-{name}.yaml', r'^kind: .*\nfile: .*$', settings)
        self.edit(f'source-{name}.yaml', r'^source: .*$', f'source: {name}')
        self.edit(f'dataset-{name}.yaml', r'^source: .*$', f'source: {name}')
        self.edit(f'dataset-{name}.yaml', r'^from: .*$', f'from: {{table: {table}}}')
        for kind in ('dataset', 'grant'):
            self.edit(f'{kind}-{name}.yaml', r'^dataset: .*$', f'dataset: public-security/{name}')
        self.apply(*(f'{kind}-{name}.yaml' for kind in ('source', 'dataset', 'grant')))

    def lend_through_adapter(self, settings):
        """Starts `sluiced --adapter` with sources that have these settings, and gives those of the
        sources that reach it: for residents and for permits. Behind `make`."""
        identity = 'agency/public-security/adapter/registers'
        folder = self.path('adapter')
        processes.run(processes.tool('sluice'), 'certs', 'request', identity, '--trust-domain',
                      'gov.example', '--dir', folder, stderr=subprocess.PIPE)
        processes.run(processes.tool('sluice'), 'certs', 'sign', folder + '/request.pem', '--ca',
                      self.path('ca'), '--as', identity, '--trust-domain', 'gov.example', '-o',
                      folder + '/certificate.pem', stderr=subprocess.PIPE)
        port = processes.free_port()
        block = ''.join(f'    {line}\n' for line in settings.splitlines())
        sources = ''.join(
            f'  {name}:\n{block}    limits: {{connections: 8, queue: 1024}}\n'
            for name in ('residents', 'permits'))
        with open(self.path('adapter.yaml'), 'w', encoding='utf-8') as file:
            file.write('adapter: public-security/registers\ntrust_domain: gov.example\n'
                       f'listen: localhost:{port}\ngateways: [gw1]\n'
                       'tls:\n  certificate: adapter/certificate.pem\n  key: adapter/key.pem\n'
                       '  authorities:\n    - {certificate: tls/authority.pem, '
                       f'revocation_list: tls/revocation.pem}}\nsources:\n{sources}')
        server = processes.Server(
            'the adapter', [processes.tool('sluiced'), '--adapter', self.path('adapter.yaml')],
            self.path('adapter.log'), output=os.devnull)
        server.await_port(port)
        reach = ('kind: remote\n'
                 f'address: localhost:{port}\nadapter: public-security/registers\n'
                 'trust_domain: gov.example\n'
                 + ''.join(f'{key}: {self.path(file)}\n' for key, file in (
                     ('authorities', 'tls/authority.pem'),
                     ('revocation_lists', 'tls/revocation.pem'),
                     ('certificate', 'tls/certificate.pem'), ('key', 'tls/key.pem'))))
        return server, reach + 'remote_source: residents', reach + 'remote_source: permits'

    def client(self):
        """Options of bench_load: the certificate of a consumer's system, and whom it trusts."""
        return ['--server-name', 'localhost', '--certificate',
                self.path('profiles/relief/certificate.pem'), '--key',
                self.path('profiles/relief/key.pem'), '--authorities',
                self.path('tls/authority.pem')]

    def load(self, work, *more, port=None):
        """One measurement: the object that bench_load prints. `port`: of another server that takes
        the same client's certificate."""
        return processes.json_of(
            processes.tool('bench_load'), '--work', work, '--target',
            f'127.0.0.1:{port or self.port}', *self.client(), *map(str, more))

    @contextlib.contextmanager
    def idle_connections(self, count):
        """So many connections over which nothing goes, while the block runs."""
        with subprocess.Popen(
                [processes.tool('bench_load'), '--work', 'idle', '--target',
                 f'127.0.0.1:{self.port}', *self.client(), '--connections', str(count)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            if not client.stdout.readline():
                raise processes.Failed(f'{count} connections do not come about')
            try:
                yield
            finally:
                client.stdin.close()
