"""A whole gateway for the tests of the clients, made as a user makes one: `sluice init --sample` in
a folder of its own, sluiced as a process on a free port.

    with Deployment(binaries, folder) as gateway:
        gateway.offer()
        subprocess.run([...], env=gateway.environment())

Beside the sample's residents it offers public-security/register (ROWS rows, generated, to be read
as a stream) and public-security/slow (rows that take longer than anybody waits); where offer_types()
is called, public-security/measures (a field of each type), and a system of another agency.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading

ROWS = 200_000  # some 30 MB: more than what gRPC takes ahead of a consumer that gives up

TABLES = f'''
CREATE TABLE register(number INTEGER PRIMARY KEY NOT NULL, name TEXT);
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {ROWS})
  INSERT INTO register SELECT i, printf('resident %d %0100d', i, i) FROM n;
CREATE VIEW slow AS SELECT number, name FROM register WHERE number =
  (WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000)
   SELECT count(*) FROM n);
'''

DATASET = '''dataset: public-security/NAME
title: {en: "Register (generated)"}
sharing: conditional
purposes: [relief]
update_cycle: daily
source: residents
from: {table: NAME}
key: [number]
on_bad_value: stop
fields:
  - {name: number, type: int64, class: L2, not_null: true}
  - {name: name, type: utf8, class: L2}
'''

GRANT = '''grant: new
dataset: public-security/NAME
to: civil-affairs
systems: [relief]
purposes: [relief]
basis: {law: "社会救助暂行办法", article: "第五十八条"}
fields:
  - {name: number}
  - {name: name}
modes: [query, read]
expires: "2099-01-01T00:00:00Z"
'''


# A field of each type: values, nulls, extremes, and texts of length nothing.
MEASURES = '''
CREATE TABLE measures(number INTEGER PRIMARY KEY NOT NULL, yes INTEGER, ratio REAL, amount TEXT,
                      day TEXT, seen TEXT, visited TEXT, label TEXT, photo BLOB);
INSERT INTO measures VALUES
  (1, 1, 0.1, '12.50', '2026-11-24', '2026-11-24T02:00:00.000001Z', '2026-11-24 02:00:00.000001',
   '张甲', x'00ff'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, 0, -1.5e300, '-9999999999.99', '0001-01-01', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999',
   '', x''),
  (9223372036854775807, 1, 5e-324, '-0.01', '9999-12-31', '1969-12-31 23:59:59.999999',
   '1970-01-01 00:00:00', '😀', x'0a');
'''

MEASURED = {'number': 'int64', 'yes': 'bool', 'ratio': 'float64', 'amount': '"decimal128(12,2)"',
            'day': 'date32', 'seen': 'timestamp(utc)', 'visited': 'timestamp(local)',
            'label': 'utf8', 'photo': 'binary'}


class Deployment:
    def __init__(self, binaries, scratch):
        self.binaries = binaries
        self.folder = tempfile.mkdtemp(prefix='sluice-clients-')
        self.out = scratch
        self.daemon = None
        self.address = ''
        self.said = []
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)
        self.local('init', 'gw', '--sample', '--listen', '127.0.0.1:0', folder=self.folder)
        # Another authority, which this gateway does not know, and whose gateway this is not.
        self.local('init', 'other', '--sample', '--listen', '127.0.0.1:0', folder=self.folder)
        self.change('sluiced.yaml', 'drain_notice: 2s', 'drain_notice: 10ms')
        self.change('grants/persons-relief.yaml', 'calls_per_minute: 60', 'calls_per_minute: 600')
        database = sqlite3.connect(self.path('sources/residents.db'))
        with open(self.path('sources/residents.sql'), encoding='utf-8') as script:
            database.executescript(script.read() + TABLES)
        database.close()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, *_):
        code = self.end()
        if kind is None and code != 0:
            raise RuntimeError(f'sluiced ended with {code}: ' + ''.join(self.said[-5:]))

    def end(self):
        """However it was: no process and no folder stay behind."""
        try:
            self.daemon.send_signal(signal.SIGTERM)
            return self.daemon.wait(timeout=60)
        finally:
            self.daemon.kill()  # where it has ended, this does nothing
            shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, 'gw', name)

    def change(self, name, old, new):
        with open(self.path(name), encoding='utf-8') as file:
            text = file.read()
        if old not in text:
            raise RuntimeError(f'{name} does not hold {old}')
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new))

    def local(self, *arguments, folder=None):
        """`sluice ARGUMENTS` in the deployment's folder; what it printed. It must succeed."""
        done = subprocess.run([os.path.join(self.binaries, 'sluice'), *arguments],
                              cwd=folder or self.path('.'), env=self.environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'sluice {" ".join(arguments)}\n{done.stdout}{done.stderr}')
        return done.stdout

    def sluice(self, party, *arguments):
        return self.local('--profile', f'profiles/{party}.yaml', *arguments)

    def start(self):
        self.daemon = subprocess.Popen(
            [os.path.join(self.binaries, 'sluiced'), '--config', self.path('sluiced.yaml')],
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        known = threading.Event()
        threading.Thread(target=self.listen, args=[known], daemon=True).start()
        known.wait(timeout=60)
        if not self.address:
            raise RuntimeError('sluiced is not ready: ' + ''.join(self.said))
        for name in os.listdir(self.path('profiles')):
            if name.endswith('.yaml'):
                self.change(f'profiles/{name}', '127.0.0.1:0', self.address)
        # What the clients' programs are given: key, certificate and authority in one folder.
        for party in ('relief', 'residents-owner', 'regions-owner'):
            shutil.copy(self.path('tls/authority.pem'), self.path(f'profiles/{party}/'))

    def listen(self, known):
        """Takes what the daemon logs, so that it never waits for us; keeps the address it says."""
        for line in self.daemon.stderr:
            self.said.append(line)
            if '"event":"ready"' in line:
                self.address = json.loads(line)['address']
                known.set()
        known.set()

    def offer(self):
        self.sluice('operator', 'source', 'apply', 'sources/residents.yaml')
        for name in ('register', 'slow'):
            for kind, text in (('datasets', DATASET), ('grants', GRANT)):
                with open(self.path(f'{kind}/{name}.yaml'), 'w', encoding='utf-8') as file:
                    file.write(text.replace('NAME', name))
        for name in ('persons', 'register', 'slow'):
            self.sluice('residents-owner', 'catalogue', 'apply', f'datasets/{name}.yaml')
        for name in ('persons-relief', 'register', 'slow'):
            self.sluice('residents-owner', 'grant', 'apply', f'grants/{name}.yaml')

    def offer_types(self):
        database = sqlite3.connect(self.path('sources/residents.db'))
        database.executescript(MEASURES)
        database.close()
        names = '  - {name: number}\n  - {name: name}\n'
        fields = '  - {name: number, type: int64, class: L2, not_null: true}\n' \
                 '  - {name: name, type: utf8, class: L2}\n'
        typed = ''.join(f'  - {{name: {name}, type: {kind}, class: L2'
                        f'{", not_null: true" if name == "number" else ""}}}\n'
                        for name, kind in MEASURED.items())
        granted = ''.join(f'  - {{name: {name}}}\n' for name in MEASURED)
        for kind, text, old, new in (
                ('datasets', DATASET.replace('key:', 'time_zone: Asia/Shanghai\nkey:'), fields, typed),
                ('grants', GRANT, names, granted)):
            assert old in text
            with open(self.path(f'{kind}/measures.yaml'), 'w', encoding='utf-8') as file:
                file.write(text.replace(old, new).replace('NAME', 'measures'))
        self.sluice('residents-owner', 'catalogue', 'apply', 'datasets/measures.yaml')
        self.sluice('residents-owner', 'grant', 'apply', 'grants/measures.yaml')

    def add_system(self, agency, name):
        identity, folder = f'agency/{agency}/system/{name}', f'profiles/{name}'
        self.local('certs', 'request', identity, '--trust-domain', 'gov.example', '--dir', folder)
        self.local('certs', 'sign', f'{folder}/request.pem', '--ca', 'ca', '--as', identity,
                   '--trust-domain', 'gov.example', '-o', f'{folder}/certificate.pem')
        shutil.copy(self.path('tls/authority.pem'), self.path(folder))
        self.sluice('operator', 'system', 'add', f'{agency}/{name}', '--en', 'A system of the test')

    def environment(self):
        """For whatever runs here: no proxy, no settings of whoever started the test."""
        kept = {name: os.environ[name] for name in ('PATH', 'LANG', 'TMPDIR') if name in os.environ}
        return {**kept, 'HOME': self.folder, 'TZ': 'UTC',
                'SLUICE_GATEWAY': self.address,
                'SLUICE_RELIEF': self.path('profiles/relief'),
                'SLUICE_OWNER': self.path('profiles/residents-owner'),
                'SLUICE_OFFICE': self.path('profiles/regions-owner'),
                'SLUICE_PLANNING': self.path('profiles/planning'),
                'SLUICE_OTHER': os.path.join(self.folder, 'other'),
                'SLUICE_ROWS': str(ROWS), 'SLUICE_OUT': self.out}
