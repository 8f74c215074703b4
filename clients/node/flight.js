#!/usr/bin/env node
// A dataset of a Sluice gateway as Arrow record batches, over Arrow Flight:
//
//     npm ci && node flight.js GATEWAY FOLDER            such as gw1.gov.example:8443 relief
//
// FOLDER is as for first_call.js. docs/formats/flight.md says what is in each message.
'use strict';
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const arrow = require('apache-arrow');
const { connect, parse, refusal } = require('./first_call.js');
const { Root, sha256 } = require('./stream.js');

const { FlightService } = grpc.loadPackageDefinition(
  protoLoader.loadSync('arrow/flight/Flight.proto', {
    includeDirs: [process.env.SLUICE_PROTO || path.join(__dirname, '../../proto')],
    longs: String,
    enums: String,
    defaults: true,
  }),
).arrow.flight.protocol;

// What stands behind the last batch of a stream, and is not sent: the status is the end.
const END = Buffer.from('ffffffff00000000', 'hex');

// Asks what a stream would be, and for a ticket to it. `headers` go with a path: the purpose, and
// what else is said of the call.
function getInfo(flight, descriptor, headers = {}) {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers))
    metadata.set(name, name.endsWith('-bin') ? Buffer.from(value) : value);
  return new Promise((resolve, reject) => {
    flight.getFlightInfo(descriptor, metadata, { deadline: Date.now() + 10_000 }, (error, info) =>
      error ? reject(error) : resolve(info),
    );
  });
}

// The messages of DoGet as an Arrow IPC stream, each checked against what the gateway recorded
// before it left. `root` is of the batches before, where the stream goes on; `taken` is told of
// each batch.
async function* ipc(messages, { root = new Root(), taken = () => {} } = {}) {
  const expected = [];
  const check = (bytes) => {
    const digest = sha256(bytes);
    if (!expected.length || !digest.equals(expected.shift()))
      throw new Error('a batch is not the one that was recorded');
    root.add(digest);
  };
  const ended = new Promise((resolve) => messages.once('status', resolve));
  for await (const { dataHeader, dataBody, appMetadata } of messages) {
    const said = parse('sluice.v1.ReadResponse', appMetadata);
    const prefix = Buffer.from(END);
    prefix.writeInt32LE(dataHeader.length, 4);
    const bytes = Buffer.concat([prefix, dataHeader, dataBody]);
    expected.push(...(said.step?.batchDigests ?? []));
    // A stream that goes on repeats its schema, which was a batch of the part before.
    if (!said.opening?.continues) check(bytes);
    taken(said);
    yield bytes;
  }
  const [trailer] = (await ended).metadata.get('sluice-closing-bin');
  const said = parse('sluice.v1.ReadResponse', trailer);
  expected.push(...(said.step?.batchDigests ?? []));
  check(END);
  if (!root.digest().equals(said.closing.digest))
    throw new Error('the stream is not what the gateway recorded');
  taken(said);
  yield END;
}

async function main(gateway, folder) {
  const flight = connect(FlightService, gateway, folder);
  try {
    const info = await getInfo(
      flight,
      { type: 'PATH', path: ['public-security', 'persons'] },
      { 'sluice-purpose': 'relief', 'sluice-case-reference': 'R-0118' },
    );
    const messages = flight.doGet(info.endpoint[0].ticket, { deadline: Date.now() + 600_000 });
    const reader = await arrow.RecordBatchReader.from(ipc(messages));
    for await (const batch of reader) for (const row of batch) console.log(`${row}`);
  } catch (error) {
    if (typeof error.code !== 'number') throw error; // not gRPC's
    const said = refusal(error);
    console.error(`${grpc.status[error.code]} ${said.reason}: ${error.details}`, said.metadata);
    process.exitCode = said.safe ? 4 : 3;
  } finally {
    flight.close();
  }
}

module.exports = { END, FlightService, getInfo, ipc };
if (require.main === module) main(...process.argv.slice(2));
