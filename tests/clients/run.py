#!/usr/bin/env python3
"""Tests the client of one language against a gateway of its own:

    run.py LANGUAGE --source TREE --build FOLDER [--binaries FOLDER]

Makes stubs and program in FOLDER (never in the tree), starts a gateway, has the language's own test
call it, then holds what the test left behind against the gateway's log: receipts, and how streams
ended. Ends with 77 where a package is missing that no package manager here can give.
"""

import argparse
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

from deployment import Deployment

# Debian's netty leaves TLS with ALPN to OpenSSL alone, and looks for its library under another name
# than Debian's; through a link it would see Debian's again, and end.
NETTY_LIBRARY = 'netty-tcnative', 'netty_tcnative'

# What libgrpc-java, libnetty-java and those that they depend on bring.
JARS = [f'/usr/share/java/{name}.jar' for name in (
    'grpc-api', 'grpc-context', 'grpc-core', 'grpc-netty', 'grpc-protobuf', 'grpc-protobuf-lite',
    'grpc-stub', 'protobuf', 'guava', 'perfmark-api', 'proto-google-common-protos',
    'geronimo-annotation-1.3-spec', 'netty-buffer', 'netty-codec', 'netty-codec-http',
    'netty-codec-http2', 'netty-codec-socks', 'netty-common', 'netty-handler',
    'netty-handler-proxy', 'netty-resolver', 'netty-transport',
    'netty-tcnative', 'netty-transport-native-unix-common')]
# Where Debian has Go packages that others are made with.
GO_PATH = '/usr/share/gocode'


class Missing(Exception):
    """A package that is not here, in words."""


def run(*command, **options):
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}\n{done.stdout}')
    return done.stdout


def need(program, package):
    found = shutil.which(program)
    if not found:
        raise Missing(f'{program} is not here: apt-get install {package}')
    return found


class Client:
    """What the tests of all languages share: folders, stubs, what was made before."""

    def __init__(self, source, build, language):
        self.source, self.build, self.language = source, build, language
        self.program = os.path.join(source, 'clients', language)
        self.tests = os.path.join(source, 'tests/clients', language)
        self.proto = os.path.join(source, 'proto')
        self.protos = sorted(
            os.path.join(folder, name) for folder in ('sluice/v1', 'google/rpc')
            for name in os.listdir(os.path.join(self.proto, folder)))
        os.makedirs(build, exist_ok=True)

    def prepare(self, gateway):
        """What the tests need beside what is offered to all."""

    def proofs(self, gateway, begun_with):
        """What the test of a first client left behind, against the gateway's log."""
        for name in ('page.rows', 'register.jsonl'):
            path = os.path.join(gateway.out, name)
            gateway.local('receipts', 'check', f'{path}.receipt.json', path, '--key', 'log.vkey')
        if '990***********3019 张* 1950-01-01' not in begun_with or '12 rows' not in begun_with:
            raise RuntimeError(f'the program printed\n{begun_with}')
        closed = [json.loads(line)['envelope'] for line in gateway.sluice(
            'auditor', '--format', 'json', 'audit', 'list', '--kind', 'closed').splitlines()]
        reasons = [one['reason'] for one in closed if one.get('reason')]
        if reasons != ['CANCELLED']:
            raise RuntimeError(f'the log says that streams ended by {reasons}')

    def protoc(self, *arguments, protos=None):
        run(need('protoc', 'protobuf-compiler'), '-I', self.proto, *arguments,
            *(protos or self.protos), cwd=self.proto)

    def fresh(self, name):
        """An empty folder in the build folder."""
        folder = os.path.join(self.build, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def once(self, name, inputs, make):
        """What make(folder) makes of these files: again only when one of them has changed."""
        digest = hashlib.sha256()
        for path in inputs:
            with open(path, 'rb') as file:
                digest.update(path.encode() + b'\0' + hashlib.sha256(file.read()).digest())
        folder, stamp = os.path.join(self.build, name), os.path.join(self.build, name + '.made-of')
        if os.path.exists(stamp):
            with open(stamp, encoding='utf-8') as file:
                if file.read() == digest.hexdigest():
                    return folder
            os.remove(stamp)
        make(self.fresh(name))
        with open(stamp, 'w', encoding='utf-8') as file:
            file.write(digest.hexdigest())
        return folder

    def inputs(self):
        return [os.path.join(self.proto, name) for name in self.protos]


class Python(Client):
    def make(self):
        # Debian's own: another Python does not see Debian's packages.
        self.python = shutil.which('python3', path='/usr/bin') or need('python3', 'python3')
        imported = subprocess.run([self.python, '-c', 'import grpc'], check=False,
                                  capture_output=True)
        if imported.returncode != 0:
            raise Missing('python3 has no grpc: apt-get install python3-grpcio')
        self.stubs = self.fresh('stubs')
        plugin = need('grpc_python_plugin', 'protobuf-compiler-grpc')
        self.protoc(f'--python_out={self.stubs}', f'--grpc_out={self.stubs}',
                    f'--plugin=protoc-gen-grpc={plugin}')

    def commands(self):
        return ([self.python, os.path.join(self.program, 'first_call.py')],
                [self.python, os.path.join(self.tests, 'client_test.py'), '--verbose'],
                {'PYTHONPATH': f'{self.stubs}:{self.program}', 'PYTHONDONTWRITEBYTECODE': '1'})


class Node(Client):
    def make(self):
        self.node = need('node', 'nodejs')
        need('npm', 'npm')
        packages = ('package.json', 'package-lock.json')
        self.folder = self.once(
            'program', [os.path.join(self.program, name) for name in packages], self.install)
        for name in ('first_call.js', 'stream.js', 'flight.js'):
            shutil.copy(os.path.join(self.program, name), self.folder)

    def install(self, folder):
        for name in ('package.json', 'package-lock.json'):
            shutil.copy(os.path.join(self.program, name), folder)
        try:
            run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline',
                '--fetch-retries=1', cwd=folder)
        except RuntimeError as error:
            if any(code in str(error) for code in ('ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED',
                                                   'ECONNRESET', 'ETIMEDOUT', 'ENETUNREACH')):
                raise Missing(f'npm does not reach its registry:\n{error}') from error
            raise

    def commands(self):
        program = os.path.join(self.folder, 'first_call.js')
        return ([self.node, program],
                [self.node, '--test', os.path.join(self.tests, 'client_test.js')],
                {'SLUICE_PROTO': self.proto, 'SLUICE_CLIENT': program,
                 'NODE_OPTIONS': '--no-deprecation'})  # of IP addresses as names of servers


class Flight(Node):
    """Arrow Flight, by Node and Arrow's own library."""

    def __init__(self, source, build, language):
        super().__init__(source, build, language)
        self.program = os.path.join(source, 'clients/node')

    def prepare(self, gateway):
        gateway.offer_types()
        gateway.add_system('public-security', 'planning')

    def commands(self):
        program, _, environment = super().commands()
        program[-1] = environment['SLUICE_CLIENT'] = os.path.join(self.folder, 'flight.js')
        return (program, [self.node, '--test', os.path.join(self.tests, 'flight_test.js')],
                environment)

    def proofs(self, gateway, begun_with):
        """The log has all of it: each stream opened and closed, and what was refused."""
        if '990***********3019' not in begun_with or begun_with.count('county') != 12:
            raise RuntimeError(f'the program printed\n{begun_with}')
        records = [json.loads(line) for line in gateway.sluice(
            'auditor', '--format', 'json', 'audit', 'list', '--limit', '0').splitlines()]
        kinds = [one['envelope']['kind'] for one in records]
        for kind in ('OPENED', 'CLOSED', 'CHECKED', 'DENIED'):
            if kind not in kinds:
                raise RuntimeError(f'the log has no {kind}: {kinds}')
        if kinds.count('OPENED') != kinds.count('CLOSED'):
            raise RuntimeError(f'the log has streams that were not closed: {kinds}')
        if not gateway.sluice('auditor', '--format', 'json', 'audit', 'list', '--kind', 'progress'):
            raise RuntimeError('the log has no steps of streams')
        reasons = {one['envelope']['reason'] for one in records if one['envelope'].get('reason')}
        for reason in ('TICKET_INVALID', 'REQUEST_INVALID', 'NO_GRANT', 'RESUME_TOKEN_INVALID'):
            if reason not in reasons:
                raise RuntimeError(f'the log has no {reason}: {reasons}')
        gateway.local('audit', 'verify', 'audit', '--key', 'log.vkey')


class Java(Client):
    def make(self):
        # A compiler that runs once is better not compiled for speed: less than half the time.
        self.java = [need('java', 'default-jdk-headless'), '-XX:TieredStopAtLevel=1']
        self.javac = [need('javac', 'default-jdk-headless'), '-J-XX:TieredStopAtLevel=1',
                      '-J-XX:+UseSerialGC', '-encoding', 'UTF-8']
        self.plugin = need('grpc_java_plugin', 'protobuf-compiler-grpc-java-plugin')
        absent = [jar for jar in JARS if not os.path.exists(jar)]
        if absent:
            raise Missing(f'no {", ".join(absent)}: apt-get install libgrpc-java libnetty-java')
        self.jars = ':'.join(JARS)
        packaged, wanted = (f'lib{name}.so' for name in NETTY_LIBRARY)
        library = glob.glob(f'/usr/lib/*/jni/{packaged}')
        if not library:
            raise Missing(f'no {packaged}: apt-get install libnetty-tcnative-jni')
        self.native = self.fresh('native')
        shutil.copy(library[0], os.path.join(self.native, wanted))
        self.stubs = self.once('stubs', self.inputs(), self.compile_stubs)
        sources = [os.path.join(folder, name) for folder in (self.program, self.tests)
                   for name in sorted(os.listdir(folder)) if name.endswith('.java')]
        self.classes = self.once('classes', sources + self.inputs(), lambda folder: run(
            *self.javac, '-proc:none', '-cp', f'{self.stubs}:{self.jars}', '-d', folder, *sources))

    def compile_stubs(self, folder):
        generated = self.fresh('generated')
        self.protoc(f'--java_out={generated}', f'--grpc-java_out={generated}',
                    f'--plugin=protoc-gen-grpc-java={self.plugin}')
        sources = [os.path.join(at, name) for at, _, names in os.walk(generated) for name in names]
        run(*self.javac, '-nowarn', '-proc:none', '-g:none', '-cp', self.jars, '-d', folder,
            *sources)

    def commands(self):
        java = [*self.java, f'-Djava.library.path={self.native}', '-cp',
                f'{self.classes}:{self.stubs}:{self.jars}']
        return [*java, 'FirstCall'], [*java, 'ClientTest'], {'LC_ALL': 'C.UTF-8'}


class Go(Client):
    def make(self):
        go = need('go', 'golang-go')
        for package in ('grpc', 'genproto', 'protobuf'):
            if not os.path.isdir(os.path.join(GO_PATH, 'src/google.golang.org', package)):
                raise Missing(f'no {package} here: apt-get install golang-google-{package}-dev')
        need('protoc-gen-go', 'protoc-gen-go-1-5')
        need('protoc-gen-go-grpc', 'protoc-gen-go-grpc')
        source = os.path.join(self.fresh('path'), 'src')
        program = os.path.join(source, 'first_call')
        os.makedirs(program)
        self.protoc(f'--go_out={source}', f'--go-grpc_out={source}',
                    protos=[name for name in self.protos if name.startswith('sluice/')])
        for folder in (self.program, self.tests):
            for name in os.listdir(folder):
                shutil.copy(os.path.join(folder, name), program)
        # What was compiled before is kept: gRPC takes longer than all else here.
        environment = {**os.environ, 'GO111MODULE': 'off', 'GOFLAGS': '',
                       'GOPATH': f'{self.build}/path:{GO_PATH}', 'GOCACHE': f'{self.build}/cache'}
        for binary, command in (('first_call', ['build']),
                                ('client_test', ['test', '-c', '-vet=off'])):
            run(go, *command, '-ldflags=-s -w', '-o', os.path.join(self.build, binary),
                cwd=program, env=environment)

    def commands(self):
        return [f'{self.build}/first_call'], [f'{self.build}/client_test', '-test.v'], {}


def main():
    languages = {'python': Python, 'node': Node, 'flight': Flight, 'java': Java, 'go': Go}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('language', choices=languages)
    parser.add_argument('--source', required=True)
    parser.add_argument('--build', required=True)
    parser.add_argument('--binaries', required=True)
    options = parser.parse_args()
    build = os.path.join(os.path.abspath(options.build), options.language)
    client = languages[options.language](os.path.abspath(options.source), build, options.language)
    try:
        client.make()
    except Missing as missing:
        print(f'skipped: {missing}')
        return 77
    program, test, environment = client.commands()
    with Deployment(os.path.abspath(options.binaries), os.path.join(build, 'out')) as gateway:
        gateway.offer()
        client.prepare(gateway)
        environment = {**gateway.environment(), **environment,
                       'SLUICE_STREAM_PAGE': os.path.join(client.source, 'docs/formats/stream.md')}
        said = run(*program, gateway.address, environment['SLUICE_RELIEF'], env=environment,
                   cwd=gateway.out)
        print(run(*test, env=environment, cwd=gateway.out))
        client.proofs(gateway, said)
    return 0


if __name__ == '__main__':
    sys.exit(main())
