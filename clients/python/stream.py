"""A stream of a Sluice gateway (Exchange.Read) into a file that can be proved at any later time:
docs/formats/stream.md. Used by first_call.py."""

import base64
import collections
import hashlib
import json
import os


def keep(receipt):
    """A receipt as `sluice receipts check` reads it: it proves the access at any later time."""
    def text(data):
        return base64.b64encode(data).decode()
    return {'origin': receipt.origin, 'envelope': text(receipt.envelope), 'index': receipt.index,
            'first_index': receipt.first_index, 'count': receipt.count,
            'path': [text(node) for node in receipt.path], 'signature': text(receipt.signature)}


class Root:
    """The RFC 6962 root over the digests of batches, in a few hashes of memory."""
    def __init__(self):
        self.peaks = []

    def add(self, digest):
        size, node = 1, hashlib.sha256(b'\0' + digest).digest()
        while self.peaks and self.peaks[-1][0] == size:
            node = hashlib.sha256(b'\1' + self.peaks.pop()[1] + node).digest()
            size *= 2
        self.peaks.append((size, node))

    def digest(self):
        if not self.peaks:
            return hashlib.sha256().digest()
        node = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            node = hashlib.sha256(b'\1' + left + node).digest()
        return node


def save(messages, path):
    """Writes a stream as path.part, which becomes path once all of it came; returns its end."""
    expected, root, opening, closing = collections.deque(), Root(), None, None
    with open(path + '.part', 'wb') as file:
        for message in messages:  # raises where the stream is cut
            if message.HasField('step'):
                expected.extend(message.step.batch_digests)
            if message.HasField('opening'):
                opening = message.opening
            elif message.HasField('closing'):
                closing = message.closing
            else:
                digest = hashlib.sha256(message.payload).digest()
                if not expected or digest != expected.popleft():
                    raise ValueError(f'batch {message.batch} is not the one that was recorded')
                root.add(digest)
                file.write(message.payload)
    if closing is None or root.digest() != closing.digest:
        raise ValueError('the file is not what the gateway recorded')
    os.replace(path + '.part', path)
    with open(path + '.receipt.json', 'w', encoding='utf-8') as file:
        json.dump({'format': 'sluice-stream-receipt/v1', 'media_type': opening.media_type,
                   'opened': keep(opening.receipt), 'latest': keep(closing.receipt),
                   'batch_lengths': list(closing.batch_lengths), 'missing_digests': []}, file)
    return closing
