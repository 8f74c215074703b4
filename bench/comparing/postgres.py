"""A PostgreSQL server with the same synthetic rows: behind the gateway, and asked straight by
PostgreSQL's own tools. Both ways over TLS with client certificates."""

import functools
import os
import pwd
import shutil
import subprocess
import time

from comparing import data, processes

BINARIES = '/usr/lib/postgresql/15/bin'
# The gateway keeps a log of its own; whoever asks straight has the server keep one (pgaudit).
GATEWAYS_ROLE, STRAIGHT_ROLE = 'lender', 'straight'
LOOKUP = ('\\set n random(1, {persons})\n'
          'SELECT id_no, full_name, born, county, province FROM resident WHERE n = :n;\n')
# The columns and rows that the grant allows (bench/permits/grant.yaml).
PERMITS = ('SELECT permit_no, holder, premises, district, kind, issued, expires, fee, capital, '
           "inspected FROM permit WHERE district <> 'D-07'")


class Postgres:
    """Runs from the moment that it is made until `stop`."""

    def __init__(self):
        self.folder = os.path.join(processes.FOLDER, 'postgres')
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.port = processes.free_port()
        # The server refuses to run as root: then it runs as the account of Debian's package.
        self.account = pwd.getpwnam('postgres') if os.geteuid() == 0 else None
        self._certificates()
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self._as_account(f'{BINARIES}/initdb', '-D', self.path('data'), '-U', 'owner', '-A',
                         'trust', '-E', 'UTF8', '--locale=C', '--no-sync')
        self._write('hba.conf', 'local all owner trust\nhostssl all all 127.0.0.0/8 cert\n')
        if self.account:
            for name in os.listdir(self.folder):
                os.chown(self.path(name), self.account.pw_uid, self.account.pw_gid)
        settings = {
            'listen_addresses': '127.0.0.1', 'port': self.port,
            'unix_socket_directories': self.folder, 'hba_file': self.path('hba.conf'),
            'ssl': 'on', 'ssl_cert_file': self.path('server.crt'),
            'ssl_key_file': self.path('server.key'), 'ssl_ca_file': self.path('ca.crt'),
            'shared_preload_libraries': 'pgaudit', 'shared_buffers': '512MB',
            'max_connections': 200, 'fsync': 'off', 'max_wal_size': '4GB'}
        command = self._command(f'{BINARIES}/postgres', '-D', self.path('data'))
        for name, value in settings.items():
            command += ['-c', f'{name}={value}']
        self.server = processes.Server('PostgreSQL', command, self.path('log'), output=os.devnull)
        try:
            self.server.await_that(self._answers)
            self._fill()
        except processes.Failed:
            self.stop()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def stop(self):
        self.server.stop()

    def _write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)

    def _command(self, *command):
        if self.account is None:
            return list(command)
        return [processes.installed('setpriv'), '--reuid=postgres', '--regid=postgres',
                '--clear-groups', *command]

    def _as_account(self, *command):
        return processes.run(*self._command(*command), stderr=subprocess.PIPE, cwd=self.folder)

    def _certificates(self):
        def openssl(*arguments):
            processes.run('openssl', *arguments, stderr=subprocess.PIPE, cwd=self.folder)
        curve = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes')
        openssl('req', '-x509', *curve, '-days', '30', '-subj', '/CN=bench', '-keyout', 'ca.key',
                '-out', 'ca.crt')
        self._write('names', 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
        for name, subject in (('server', 'localhost'), (GATEWAYS_ROLE, GATEWAYS_ROLE),
                              (STRAIGHT_ROLE, STRAIGHT_ROLE)):
            openssl('req', *curve, '-subj', f'/CN={subject}', '-keyout', f'{name}.key', '-out',
                    f'{name}.csr')
            openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key',
                    '-CAcreateserial', '-days', '30', '-extfile', 'names', '-out', f'{name}.crt')
            os.chmod(self.path(f'{name}.key'), 0o600)

    def _answers(self):
        return subprocess.run([f'{BINARIES}/pg_isready', '-q', '-h', self.folder, '-p',
                               str(self.port)], check=False).returncode == 0

    def sql(self, text, tuples=False):
        return processes.run(f'{BINARIES}/psql', '-X', '-q', *(['-A', '-t'] if tuples else []),
                             '-v', 'ON_ERROR_STOP=1', '-h', self.folder, '-p', str(self.port),
                             '-U', 'owner', '-d', 'postgres', '-c', text, stderr=subprocess.PIPE)

    def _copy(self, database, query, into):
        """Rows of an SQLite file into a table."""
        with subprocess.Popen([processes.installed('sqlite3'), '-csv', database, query],
                              stdout=subprocess.PIPE) as rows:
            done = subprocess.run(
                [f'{BINARIES}/psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', self.folder, '-p',
                 str(self.port), '-U', 'owner', '-d', 'postgres', '-c',
                 f'COPY {into} FROM STDIN (FORMAT csv)'], stdin=rows.stdout, check=False)
        if done.returncode != 0 or rows.returncode != 0:
            raise processes.Failed(f'PostgreSQL did not take the rows of {database}')

    def _fill(self):
        self.sql('CREATE TABLE resident (n serial UNIQUE, id_no text PRIMARY KEY, full_name text NOT NULL, '
                 'born text NOT NULL, province text NOT NULL, county text NOT NULL, address text, '
                 'phone text, remark text NOT NULL);'
                 'CREATE TABLE permit (permit_no bigint PRIMARY KEY, holder text, premises text, '
                 'district text, kind text, issued date, expires date, fee numeric(12,2), '
                 'capital numeric(18,2), inspected timestamptz, remark text)')
        columns = 'id_no, full_name, born, province, county, address, phone, remark'
        self._copy(data.residents(), f'SELECT {columns} FROM resident', f'resident ({columns})')
        self._copy(data.permits(), 'SELECT * FROM permit', 'permit')
        self.sql('CREATE EXTENSION pgaudit')
        for role in (GATEWAYS_ROLE, STRAIGHT_ROLE):
            self.sql(f'CREATE ROLE {role} LOGIN; GRANT SELECT ON resident, permit TO {role}')
        self.sql(f"ALTER ROLE {STRAIGHT_ROLE} SET pgaudit.log = 'read'")
        self.sql('VACUUM ANALYZE')

    def source(self):
        """Settings of the gateway's source, as YAML."""
        return (f'kind: postgres\nhost: localhost\nport: {self.port}\ndatabase: postgres\n'
                f'user: {GATEWAYS_ROLE}\nroot_certificate: {self.path("ca.crt")}\n'
                f'certificate: {self.path(GATEWAYS_ROLE + ".crt")}\n'
                f'key: {self.path(GATEWAYS_ROLE + ".key")}')

    def odbc_source(self):
        """The same through unixODBC and PostgreSQL's own driver."""
        pairs = ' '.join(f'{name}={self.path(file)}' for name, file in (
            ('sslrootcert', 'ca.crt'), ('sslcert', GATEWAYS_ROLE + '.crt'),
            ('sslkey', GATEWAYS_ROLE + '.key')))
        return (f'kind: odbc\ndriver: PostgreSQL Unicode\nserver: localhost\nport: "{self.port}"\n'
                f'database: postgres\nuser: {GATEWAYS_ROLE}\nattribute.SSLmode: verify-full\n'
                f'attribute.pqopt: "{pairs}"')

    def _straight(self):
        return {**os.environ, 'PGHOST': 'localhost', 'PGPORT': str(self.port),
                'PGUSER': STRAIGHT_ROLE, 'PGDATABASE': 'postgres', 'PGSSLMODE': 'verify-full',
                'PGSSLROOTCERT': self.path('ca.crt'),
                'PGSSLCERT': self.path(STRAIGHT_ROLE + '.crt'),
                'PGSSLKEY': self.path(STRAIGHT_ROLE + '.key')}

    def lookups_per_second(self, clients, seconds):
        """pgbench: prepared, one row by a unique index of whole numbers."""
        self._write('lookup.sql', LOOKUP.format(persons=data.PERSONS))
        said = processes.run(
            f'{BINARIES}/pgbench', '-n', '-M', 'prepared', '-f', self.path('lookup.sql'), '-c',
            str(clients), '-j', '2', '-T', str(max(1, round(seconds))), env=self._straight(),
            stderr=subprocess.PIPE)
        for line in said.splitlines():
            if line.startswith('tps = '):
                return float(line.split()[2])
        raise processes.Failed('pgbench told no number: ' + said)

    @functools.cached_property
    def permits(self):
        """How many rows the grant lets the consumer see."""
        return int(self.sql(f'SELECT count(*) FROM ({PERMITS}) AS seen', tuples=True))

    def copied_rows_per_second(self):
        """psql: the same columns and rows by COPY … TO STDOUT, as text, thrown away."""
        begin = time.monotonic()
        done = subprocess.run(
            [f'{BINARIES}/psql', '-X', '-q', '-c', f'COPY ({PERMITS}) TO STDOUT'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self._straight(), check=False)
        if done.returncode != 0:
            raise processes.Failed('psql could not copy the permits')
        return self.permits / (time.monotonic() - begin)
