#!/usr/bin/env python3
"""Checks an evidence pack from the specifications alone: zip, sha256sum's format, JSON, C2SP
signed-note, tlog-checkpoint and tlog-proof, RFC 6962 and 9162, and of ours only which field of an
envelope is the commitment (docs/formats/audit-record.md). It shares no code with the tool.

  pack_reader.py check PACK VKEY       prints origin, size, root, records and details as JSON
  pack_reader.py unpack PACK FOLDER    also writes the program of the pack's page there: check.py
"""

import base64
import hashlib
import html
import io
import json
import sys
import zipfile

from tlog_client import included, leaf_hash, verified_checkpoint

COMMITMENT = 31  # AuditEnvelope.detail_commitment


def varint(stream):
    value, shift = 0, 0
    while True:
        (byte,) = stream.read(1)
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value


def fields(message):
    """Number and value of each field; values of fixed length are skipped."""
    stream = io.BytesIO(message)
    while stream.tell() < len(message):
        tag = varint(stream)
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, varint(stream)
        elif kind == 2:
            yield tag >> 3, stream.read(varint(stream))
        else:
            stream.read({1: 8, 5: 4}[kind])


def check(path, vkey):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == len(names)
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        members = {name: archive.read(name) for name in names}

    sums = dict(reversed(line.split('  ')) for line in members['SHA256SUMS'].decode().splitlines())
    assert set(sums) == set(names) - {'SHA256SUMS'}
    for name, digest in sums.items():
        assert hashlib.sha256(members[name]).hexdigest() == digest, name
    manifest = json.loads(members['manifest.json'])
    for member in manifest['members']:
        content = members[member['name']]
        assert len(content) == member['bytes'], member
        assert hashlib.sha256(content).hexdigest() == member['sha256'], member
    assert {m['name'] for m in manifest['members']} == set(names) - {'manifest.json', 'SHA256SUMS'}

    note = members['checkpoint']
    origin, size, root = verified_checkpoint(note, vkey)
    assert members['log.vkey'].decode().strip() == vkey
    assert (manifest['origin'], manifest['size']) == (origin, size)
    assert base64.b64decode(manifest['root']) == root

    lines = [json.loads(line) for line in members['records.jsonl'].decode().splitlines()]
    details = 0
    for line in lines:
        index = line['index']
        head, _, checkpoint = members[f'records/{index}.tlog-proof'].partition(b'\n\n')
        assert checkpoint == note, index
        first, extra, number, *path = head.decode().split('\n')
        assert first == 'c2sp.org/tlog-proof@v1' and number == f'index {index}', index
        envelope = base64.b64decode(extra.removeprefix('extra '), validate=True)
        path = [base64.b64decode(hash, validate=True) for hash in path]
        assert included(index, size, leaf_hash(envelope), path, root), index
        assert not included(index, size, leaf_hash(envelope + b'x'), path, root), index
        commitment = dict(fields(envelope))[COMMITMENT]
        assert base64.b64decode(line['envelope']['detail_commitment']) == commitment, index
        assert commitment.hex() in members['README.html'].decode(), index
        opened = members.get(f'details/{index}.bin')
        assert (opened is not None) == ('detail' in line), index
        if opened is not None:
            assert hashlib.sha256(opened).digest() == commitment, index
            details += 1
    assert len(lines) == manifest['records']
    assert sum(name.startswith('records/') for name in names) == len(lines)
    assert sum(name.startswith('details/') for name in names) == details == manifest['details']
    reading = lines[-1]
    assert reading['index'] == manifest['reading'] and reading['envelope']['kind'] == 'READ'
    assert reading['envelope'].get('count', 0) == len(lines) - 1
    return {'origin': origin, 'size': size, 'root': root.hex(), 'details': details,
            'records': [line['index'] for line in lines]}


def unpack(path, folder):
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        page = archive.read('README.html').decode()
    program = page.split('<pre id="check.py">', 1)[1].split('</pre>', 1)[0]
    with open(folder + '/check.py', 'w') as file:
        file.write(html.unescape(program))


if __name__ == '__main__':
    print(json.dumps({'check': check, 'unpack': unpack}[sys.argv[1]](*sys.argv[2:])))
