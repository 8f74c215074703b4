"""A witness in a hundred lines, written from C2SP's tlog-witness and tlog-cosignature alone.

tiny_witness.py SEED NAME LOG-VKEY [PORT]
    listens on a port of loopback; says "ready PORT VKEY" on the standard error, then prints a line
    for each answer: status, and the size that it holds. Its memory ends with it.
"""

import base64
import hashlib
import http.server
import struct
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def node(left, right):
    return hashlib.sha256(b'\x01' + left + right).digest()


def consistent(old, new, old_root, new_root, path):
    """RFC 9162, 2.1.4.2."""
    if old == new:
        return not path and old_root == new_root
    if not path:
        return False
    if old & (old - 1) == 0:
        path = [old_root] + path
    first, last = old - 1, new - 1
    while first & 1:
        first >>= 1
        last >>= 1
    was = now = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            was, now = node(sibling, was), node(sibling, now)
            while not first & 1 and first != 0:
                first >>= 1
                last >>= 1
        else:
            now = node(now, sibling)
        first >>= 1
        last >>= 1
    return last == 0 and was == old_root and now == new_root


class TinyWitness:
    def __init__(self, seed, name, log_vkey):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
        public = b'\x04' + self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.id = hashlib.sha256(name.encode() + b'\n' + public).digest()[:4]
        self.vkey = f'{name}+{self.id.hex()}+{base64.b64encode(public).decode()}'
        self.origin, self.log_id, typed = log_vkey.split('+', 2)
        self.log_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(typed)[1:])
        self.size, self.root, self.note = 0, None, None

    def add(self, body):
        head, rest = body.split('\n\n', 1)
        lines = head.split('\n')
        assert lines[0].startswith('old '), lines[0]
        old = int(lines[0][4:])
        path = [base64.b64decode(line, validate=True) for line in lines[1:]]
        text, signatures = rest.rsplit('\n\n', 1)
        text += '\n'
        origin, size, root = text.split('\n')[:3]
        if origin != self.origin:
            return 404, 'text/plain', ''
        size, root = int(size), base64.b64decode(root, validate=True)
        held = False
        for line in signatures.splitlines():
            _, name, blob = line.split(' ')
            blob = base64.b64decode(blob, validate=True)
            if name == origin and blob[:4].hex() == self.log_id:
                try:
                    self.log_key.verify(blob[4:], text.encode())
                    held = True
                except InvalidSignature:
                    return 403, 'text/plain', ''
        if not held:
            return 403, 'text/plain', ''
        if old > size:
            return 400, 'text/plain', ''
        if old != self.size:
            return 409, 'text/x.tlog.size', f'{self.size}\n'
        if old == 0:
            if path:
                return 422, 'text/plain', ''
        elif not consistent(old, size, self.root, root, path):
            return 422, 'text/plain', ''
        seconds = int(time.time())
        blob = self.id + struct.pack('>Q', seconds) + self.key.sign(
            f'cosignature/v1\ntime {seconds}\n{text}'.encode())
        line = f'\u2014 {self.name} {base64.b64encode(blob).decode()}\n'
        self.size, self.root, self.note = size, root, rest + line
        return 200, 'text/plain', line


def main(seed, name, log_vkey, port='0'):
    witness = TinyWitness(seed, name, log_vkey)

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status, kind, body):
            self.send_response(status)
            self.send_header('Content-Type', kind)
            self.send_header('Content-Length', str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length'])).decode()
            status, kind, answer = (witness.add(body) if self.path == '/add-checkpoint'
                                    else (404, 'text/plain', ''))
            self.answer(status, kind, answer)
            print(status, witness.size, flush=True)

        def do_GET(self):
            mine = f'/{hashlib.sha256(witness.origin.encode()).hexdigest()}/checkpoint'
            if self.path == mine and witness.note:
                self.answer(200, 'text/plain; charset=utf-8', witness.note)
            else:
                self.answer(404, 'text/plain', '')

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', int(port)), Handler)
    print('ready', server.server_address[1], witness.vkey, file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == '__main__':
    main(*sys.argv[1:])
