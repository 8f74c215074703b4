#!/usr/bin/env python3
"""An auditor's own client of a log, written from C2SP's pages alone: signed-note, tlog-checkpoint,
tlog-tiles, and RFC 6962 and 9162. It shares no code with the gateway.

  tlog_client.py get BASE PATH CA [CERTIFICATE KEY]
      prints status, type, cache control and body as JSON
  tlog_client.py check BASE VKEY CA CERTIFICATE KEY
      checks the head's signature, every entry, every tile and an inclusion proof for each of some
      entries; prints size, root and entries as JSON
"""

import base64
import hashlib
import http.client
import json
import ssl
import struct
import sys
import urllib.parse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256


class Client:
    def __init__(self, base, authority, certificate=None, key=None):
        where = urllib.parse.urlsplit(base)
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate, key)
        self.connection = http.client.HTTPSConnection(
            where.hostname, where.port, context=context, timeout=20)
        self.prefix = where.path.rstrip('/')

    def get(self, path):
        self.connection.request('GET', self.prefix + '/' + path)
        answer = self.connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()

    def need(self, path, kind, cache):
        status, headers, body = self.get(path)
        assert status == 200, (path, status, body)
        assert headers['Content-Type'] == kind, (path, headers)
        assert cache in headers['Cache-Control'], (path, headers)
        assert int(headers['Content-Length']) == len(body), path
        return body


def verified_checkpoint(note, vkey):
    """Origin, size and root of a checkpoint that this key signed."""
    name, key_id, key = vkey.split('+', 2)
    blob = base64.b64decode(key, validate=True)
    assert blob[0] == 1, 'no Ed25519 key'
    computed = hashlib.sha256(name.encode() + b'\n' + blob).digest()[:4]
    assert computed.hex() == key_id, 'the key id is not the key\'s'
    text, signatures = note.decode('utf-8').rsplit('\n\n', 1)
    text += '\n'
    good = 0
    for line in signatures.splitlines():
        dash, signer, signature = line.split(' ')
        assert dash == '\u2014'
        signature = base64.b64decode(signature, validate=True)
        if signer == name and signature[:4] == computed:
            Ed25519PublicKey.from_public_bytes(blob[1:]).verify(signature[4:], text.encode())
            good += 1
    assert good, 'not signed by the log'
    lines = text.splitlines()
    size = int(lines[1])
    assert str(size) == lines[1]
    root = base64.b64decode(lines[2], validate=True)
    assert len(root) == 32
    return lines[0], size, root


def path_of(level, index, width):
    groups = [f'{index % 1000:03d}']
    while index >= 1000:
        index //= 1000
        groups.insert(0, f'x{index % 1000:03d}')
    suffix = '' if width == WIDTH else f'.p/{width}'
    return f'tile/{level}/' + '/'.join(groups) + suffix


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


def audit_path(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return audit_path(index, leaves[:split]) + [tree_hash(leaves[split:])]
    return audit_path(index - split, leaves[split:]) + [tree_hash(leaves[:split])]


def included(index, size, leaf, path, root):
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    first, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            computed = node_hash(sibling, computed)
            while not first & 1 and first != 0:
                first >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        first >>= 1
        last >>= 1
    return last == 0 and computed == root


def tiles_of(count):
    full, rest = divmod(count, WIDTH)
    return [(i, WIDTH) for i in range(full)] + ([(full, rest)] if rest else [])


def entries_of(bundle):
    entries = []
    while bundle:
        (length,) = struct.unpack('>H', bundle[:2])
        entry, bundle = bundle[2:2 + length], bundle[2 + length:]
        assert len(entry) == length, 'a bundle is cut short'
        entries.append(entry)
    return entries


def refused(client, path):
    status, headers, body = client.get(path)
    assert status == 404, (path, status)
    assert headers['Content-Type'] == 'application/json', headers
    assert 'immutable' not in headers['Cache-Control'], headers
    error = json.loads(body)['error']
    assert error['reason'] and error['message'] and error['next'], error


def check(base, vkey, authority, certificate, key):
    client = Client(base, authority, certificate, key)
    note = client.need('checkpoint', 'text/plain; charset=utf-8', 'max-age=1')
    origin, size, root = verified_checkpoint(note, vkey)
    data = 'application/octet-stream'
    entries = []
    for index, width in tiles_of(size):
        bundle = client.need(path_of('entries', index, width), data, 'immutable')
        got = entries_of(bundle)
        assert len(got) == width, (index, width, len(got))
        entries += got
    leaves = [leaf_hash(entry) for entry in entries]
    assert tree_hash(leaves) == root, 'the entries do not have this root'
    hashes, level = leaves, 0
    while hashes:
        for index, width in tiles_of(len(hashes)):
            tile = client.need(path_of(level, index, width), data, 'immutable')
            assert tile == b''.join(hashes[index * WIDTH:index * WIDTH + width]), (level, index)
        refused(client, path_of(level, len(hashes) // WIDTH + 1, WIDTH))
        hashes = [tree_hash(hashes[i * WIDTH:(i + 1) * WIDTH]) for i in range(len(hashes) // WIDTH)]
        level += 1
    refused(client, path_of(level, 0, 1))
    refused(client, path_of('entries', size // WIDTH + 1, WIDTH))
    for bad in ('tile/0/0', 'tile/0/000.p/256', 'tile/0/000.p/0', 'tile/64/000', 'tile/00/000',
                'tile/0/x000/001', 'tile/-1/000', 'tile/0/../0/000', 'tile/details/000', 'tile/', 'log'):
        refused(client, bad)
    # A tree of an earlier head: its partial tiles are still there, also where the full one is.
    for width in (1, 100, 255):
        if size >= width:
            tile = client.need(path_of(0, 0, width), data, 'immutable')
            assert tile == b''.join(leaves[:width])
    for index in sorted({0, 1, size // 2, size - 1}):
        path = audit_path(index, leaves)
        assert included(index, size, leaves[index], path, root), index
        assert not included(index, size, leaf_hash(entries[index] + b'x'), path, root), index
    return {'origin': origin, 'size': size, 'root': root.hex(), 'levels': level,
            'entries': [entry.hex() for entry in entries]}


def get(base, path, *files):
    status, headers, body = Client(base, *files).get(path)
    return {'status': status, 'type': headers['Content-Type'], 'cache': headers['Cache-Control'],
            'body': body.decode('utf-8', 'replace')}


if __name__ == '__main__':
    print(json.dumps({'get': get, 'check': check}[sys.argv[1]](*sys.argv[2:])))
