"""A client of a witness, written from C2SP's tlog-witness, tlog-cosignature and signed-note alone.

witness_client.py run BASE VKEY ORIGIN-SEED [CA [CERTIFICATE KEY]]
    is a log with the key of that seed (hex) and walks through every answer that the protocol knows;
    prints the sizes that were cosigned as JSON
witness_client.py grow BASE VKEY ORIGIN-SEED FROM COUNT
    hands in heads of FROM+1 to FROM+COUNT entries until the witness is gone, prints the last size
    that was cosigned
witness_client.py fork BASE VKEY ORIGIN-SEED
    hands in a head of another history, of the size that the witness holds; prints the answers
"""

import base64
import hashlib
import http.client
import json
import ssl
import struct
import sys
import time
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)

ORIGIN = 'gw1.gov.example/log'


def leaf_hash(entry):
    return hashlib.sha256(b'\x00' + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b'\x01' + left + right).digest()


def tree_hash(leaves):
    if not leaves:
        return hashlib.sha256(b'').digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(tree_hash(leaves[:split]), tree_hash(leaves[split:]))


def consistency(old, leaves, whole=True):
    """RFC 6962, 2.1.2."""
    if old == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return consistency(old, leaves[:split], whole) + [tree_hash(leaves[split:])]
    return consistency(old - split, leaves[split:], False) + [tree_hash(leaves[:split])]


class Log:
    def __init__(self, seed, fork=None):
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
        public = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.typed = b'\x01' + public
        self.id = hashlib.sha256(ORIGIN.encode() + b'\n' + self.typed).digest()[:4]
        self.fork = fork

    def vkey(self):
        return f'{ORIGIN}+{self.id.hex()}+{base64.b64encode(self.typed).decode()}'

    def leaves(self, size):
        return [leaf_hash(f'{"other " if self.fork is not None and i >= self.fork else ""}{i}'.encode())
                for i in range(size)]

    def body(self, size):
        root = base64.b64encode(tree_hash(self.leaves(size))).decode()
        return f'{ORIGIN}\n{size}\n{root}\n'

    def signed(self, body):
        blob = base64.b64encode(self.id + self.key.sign(body.encode())).decode()
        return f'{body}\n\u2014 {ORIGIN} {blob}\n'

    def proof(self, old, size):
        return consistency(old, self.leaves(size)) if 0 < old <= size else []

    def request(self, old, size, proof=None):
        lines = self.proof(old, size) if proof is None else proof
        return (f'old {old}\n' + ''.join(base64.b64encode(h).decode() + '\n' for h in lines)
                + '\n' + self.signed(self.body(size)))


class WitnessClient:
    def __init__(self, base, vkey, authority=None, certificate=None, key=None):
        self.where = urllib.parse.urlsplit(base)
        self.context = None
        if self.where.scheme == 'https':
            self.context = ssl.create_default_context(cafile=authority)
            if certificate:
                self.context.load_cert_chain(certificate, key)
        name, self.id, typed = vkey.split('+', 2)
        blob = base64.b64decode(typed, validate=True)
        assert blob[0] == 4, 'no cosigner\'s key'
        assert hashlib.sha256(name.encode() + b'\n' + blob).digest()[:4].hex() == self.id
        self.name, self.key = name, Ed25519PublicKey.from_public_bytes(blob[1:])

    def ask(self, method, path, body=None):
        if self.context:
            connection = http.client.HTTPSConnection(
                self.where.hostname, self.where.port, context=self.context, timeout=20)
        else:
            connection = http.client.HTTPConnection(
                self.where.hostname, self.where.port, timeout=20)
        try:
            try:
                connection.request(method, path, body.encode() if body is not None else None)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                pass  # it was refused before all of it was sent
            answer = connection.getresponse()
            return answer.status, answer.headers['Content-Type'], answer.read().decode()
        finally:
            connection.close()

    def add(self, body):
        return self.ask('POST', '/add-checkpoint', body)

    def newest(self):
        return self.ask('GET', f'/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint')

    def time_of(self, line, body):
        """The time of a cosignature, which must hold over that body."""
        dash, name, blob = line.rstrip('\n').split(' ')
        assert dash == '\u2014' and name == self.name, line
        blob = base64.b64decode(blob, validate=True)
        assert blob[:4].hex() == self.id and len(blob) == 76
        (seconds,) = struct.unpack('>Q', blob[4:12])
        self.key.verify(blob[12:], f'cosignature/v1\ntime {seconds}\n{body}'.encode())
        return seconds

    def must_cosign(self, log, old, size):
        status, kind, answer = self.add(log.request(old, size))
        assert status == 200, (old, size, status, answer)
        assert answer.endswith('\n') and answer.count('\n') == 1, answer
        seconds = self.time_of(answer, log.body(size))
        assert abs(seconds - time.time()) < 60, seconds
        status, kind, note = self.newest()
        assert (status, kind) == (200, 'text/plain; charset=utf-8')
        text, signatures = note.rsplit('\n\n', 1)
        assert text + '\n' == log.body(size), text
        assert answer.rstrip('\n') in signatures.splitlines(), signatures
        assert log.signed(log.body(size)).splitlines()[-1] in signatures.splitlines()
        return size

    def must_refuse(self, status, body):
        got, kind, answer = self.add(body)
        assert got == status, (status, got, answer)
        assert '\u2014' not in answer, 'signed'
        return kind, answer


def run(base, vkey, seed, *files):
    log, fork, stranger = Log(seed), Log(seed, 2), Log('11' * 32)
    client = WitnessClient(base, vkey, *files)
    assert client.newest()[0] == 404
    cosigned = [client.must_cosign(log, 0, 5)]
    for old, size in ((5, 5), (5, 8), (8, 9), (9, 300)):
        cosigned.append(client.must_cosign(log, old, size))
    for old in (0, 5, 299):
        kind, answer = client.must_refuse(409, log.request(old, 301))
        assert (kind, answer) == ('text/x.tlog.size', '300\n'), (kind, answer)
    client.must_refuse(400, '')
    client.must_refuse(400, log.request(301, 300))
    client.must_refuse(400, 'old x\n\n' + log.signed(log.body(301)))
    client.must_refuse(400, log.request(300, 301, [b'\0' * 32] * 64))
    client.must_refuse(403, stranger.request(300, 301))
    client.must_refuse(404, log.request(300, 301).replace(ORIGIN, 'gw2.gov.example/log'))
    client.must_refuse(422, log.request(300, 301, []))
    client.must_refuse(422, log.request(300, 301, log.proof(299, 301)))
    client.must_refuse(422, log.request(300, 300, [b'\0' * 32]))
    client.must_refuse(422, fork.request(300, 300))
    client.must_refuse(422, fork.request(300, 301))
    assert client.ask('GET', '/add-checkpoint')[0] == 405
    assert client.ask('POST', '/other', 'x')[0] == 404
    assert client.ask('DELETE', '/add-checkpoint')[0] == 405
    assert client.ask('GET', '/' + '0' * 64 + '/checkpoint')[0] == 404
    assert client.add('x' * 200_000)[0] == 413
    cosigned.append(client.must_cosign(log, 300, 301))
    return {'cosigned': cosigned}


def grow(base, vkey, seed, begin, count):
    log, client, last = Log(seed), WitnessClient(base, vkey), int(begin)
    for size in range(int(begin) + 1, int(begin) + int(count) + 1):
        try:
            status, _, answer = client.add(log.request(size - 1, size))
        except (OSError, http.client.HTTPException):
            break
        assert status == 200, (size, status, answer)
        client.time_of(answer, log.body(size))
        last = size
    return {'last': last}


def fork(base, vkey, seed):
    client = WitnessClient(base, vkey)
    size = int(client.newest()[2].splitlines()[1])
    other = Log(seed, size - 1)
    answers = [client.add(other.request(old, size))[0] for old in (size - 1, size)]
    assert int(client.newest()[2].splitlines()[1]) == size
    return {'answers': answers, 'held': size}


def refused(base, vkey, seed, *files):
    """What the listener says to somebody whom it does not take heads from."""
    client = WitnessClient(base, vkey, *files)
    return {'status': client.add(Log(seed).request(0, 5))[0], 'newest': client.newest()[0]}


if __name__ == '__main__':
    print(json.dumps({'run': run, 'grow': grow, 'fork': fork, 'refused': refused}[sys.argv[1]](
        *sys.argv[2:])))
