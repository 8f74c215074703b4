// A stream of a Sluice gateway (Exchange.Read) into a file that can be proved at any later time:
// docs/formats/stream.md. Used by first_call.js.
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs/promises');

function sha256(...parts) {
  return parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
}

// A receipt as `sluice receipts check` reads it: it proves the access at any later time.
function keep(receipt) {
  const text = (bytes) => Buffer.from(bytes).toString('base64');
  return {
    origin: receipt.origin,
    envelope: text(receipt.envelope),
    index: Number(receipt.index),
    first_index: Number(receipt.firstIndex),
    count: Number(receipt.count),
    path: receipt.path.map(text),
    signature: text(receipt.signature),
  };
}

// The RFC 6962 root over the digests of batches, in a few hashes of memory.
class Root {
  peaks = [];
  add(digest) {
    let [size, node] = [1, sha256('\0', digest)];
    for (; this.peaks.at(-1)?.size === size; size *= 2)
      node = sha256('\x01', this.peaks.pop().node, node);
    this.peaks.push({ size, node });
  }
  digest() {
    return (
      this.peaks
        .map(({ node }) => node)
        .reduceRight((right, left) => (right ? sha256('\x01', left, right) : left), null) ??
      sha256()
    );
  }
}

// Writes a stream as file.part, which becomes file once all of it came; returns its end.
async function save(messages, file) {
  const [expected, root] = [[], new Root()];
  let opening, closing;
  const part = await fs.open(`${file}.part`, 'w');
  try {
    // Throws where the stream is cut.
    for await (const message of messages) {
      expected.push(...(message.step?.batchDigests ?? []));
      if (message.opening) opening = message.opening;
      else if (message.closing) closing = message.closing;
      else {
        const digest = sha256(message.payload);
        if (!expected.length || !digest.equals(expected.shift())) {
          throw new Error(`batch ${message.batch} is not the one that was recorded`);
        }
        root.add(digest);
        await part.writeFile(message.payload);
      }
    }
  } finally {
    await part.close();
  }
  if (!closing || !root.digest().equals(closing.digest))
    throw new Error('the file is not what the gateway recorded');
  await fs.rename(`${file}.part`, file);
  await fs.writeFile(
    `${file}.receipt.json`,
    JSON.stringify({
      format: 'sluice-stream-receipt/v1',
      media_type: opening.mediaType,
      opened: keep(opening.receipt),
      latest: keep(closing.receipt),
      batch_lengths: closing.batchLengths.map(Number),
      missing_digests: [],
    }),
  );
  return closing;
}

module.exports = { keep, Root, save, sha256 };
