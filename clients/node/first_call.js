#!/usr/bin/env node
// A first client of a Sluice gateway in Node: pages of rows, then all of them as a file.
//
//     npm ci && node first_call.js GATEWAY FOLDER        such as gw1.gov.example:8443 relief
//
// FOLDER holds key.pem and certificate.pem (sluice certs request) and the gateway's authority.pem.
// Messages come from proto/, read as they are; SLUICE_PROTO names the folder where it is elsewhere.
// docs/consumer.md says what each part is for.
'use strict';
const { createHash, randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');
const { save, sha256 } = require('./stream.js');

const proto = process.env.SLUICE_PROTO || path.join(__dirname, '../../proto');
const types = protoLoader.loadSync(
  ['exchange', 'catalogue', 'sharing', 'audit_record']
    .map((name) => `sluice/v1/${name}.proto`)
    .concat('google/rpc/error_details.proto'),
  // An int64 is more than a number holds.
  { includeDirs: [proto], longs: String, enums: String, defaults: true, oneofs: true },
);
const api = grpc.loadPackageDefinition(types).sluice.v1;
const parse = (type, bytes) => types[type].deserialize(bytes);

// What stands beside each reason is an option of its enum, which proto-loader does not hand on.
const root = new protobuf.Root();
root.resolvePath = (_, name) => path.resolve(proto, name);
const reasons = root
  .loadSync('sluice/v1/reason.proto')
  .lookupEnum('sluice.v1.Reason').valuesOptions;

// A client over mutual TLS: who we are is what our certificate says. Keep it; it reconnects.
function connect(Service, gateway, folder) {
  const read = (name) => readFileSync(path.join(folder, name));
  return new Service(
    gateway,
    grpc.credentials.createSsl(read('authority.pem'), read('key.pem'), read('certificate.pem')),
    {
      'grpc.keepalive_time_ms': 60_000, // while a call runs; not below 30 s
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.max_receive_message_length': 2 << 20, // no message is over 1 MiB and a frame
      'grpc.enable_retries': 0, // only what its reason calls safe: call()
    },
  );
}

// What an error says beside its code; reason is empty where gRPC itself failed.
function refusal(error) {
  const [trailer] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const parts = {};
  for (const detail of trailer ? parse('google.rpc.Status', trailer).details : []) {
    const type = detail.type_url.split('/').pop();
    if (types[type]) parts[type] = parse(type, detail.value);
  }
  const { reason = '', metadata = {} } = parts['google.rpc.ErrorInfo'] ?? {};
  const delay = parts['google.rpc.RetryInfo']?.retryDelay ?? { seconds: 0, nanos: 0 };
  const violations = parts['google.rpc.BadRequest']?.fieldViolations ?? [];
  return {
    reason,
    metadata,
    // Without a reason no answer came, and the request_id makes asking again harmless.
    safe: reason
      ? reasons[`REASON_${reason}`]?.['(reason_info).retry'] === 'RETRY_SAFE'
      : error.code === grpc.status.UNAVAILABLE,
    delay: Number(delay.seconds) * 1000 + delay.nanos / 1e6,
    fields: Object.fromEntries(violations.map((one) => [one.field, one.description])),
  };
}

// One access, sent again under the same request_id only where that is safe. `method` is a unary
// method bound to its client.
async function call(method, request, { timeout = 10_000, attempts = 4 } = {}) {
  const access = { ...request, requestId: randomUUID() };
  for (let attempt = 1; ; ++attempt) {
    try {
      return await new Promise((resolve, reject) => {
        method(access, { deadline: Date.now() + timeout }, (error, reply) =>
          error ? reject(error) : resolve(reply),
        );
      });
    } catch (error) {
      const said = refusal(error);
      // SOURCE_CHANGED ends the pages begun: they begin anew, without a token.
      if (!said.safe || said.reason === 'SOURCE_CHANGED' || attempt === attempts) throw error;
      await pause(Math.max(said.delay, 100 * 2 ** attempt));
    }
  }
}

// Each page with its rows; each is an access of its own, decided, recorded and counted.
async function* pages(exchange, request) {
  for (let pageToken = ''; ;) {
    const page = await call(exchange.query.bind(exchange), { ...request, pageToken });
    const { digest } = parse('sluice.v1.AuditEnvelope', page.receipt.envelope);
    if (!sha256(page.payload).equals(digest))
      throw new Error('the payload is not the one that was recorded');
    yield [page, parse('sluice.v1.RowBatch', page.payload)];
    pageToken = page.nextPageToken;
    if (!pageToken) return;
  }
}

async function main(gateway, folder) {
  const exchange = connect(api.Exchange, gateway, folder);
  const asked = { dataset: 'public-security/persons', purpose: 'relief', caseReference: 'R-0118' };
  const parameters = { county: { values: [{ stringValue: '东城区' }] } };
  try {
    for await (const [page, batch] of pages(exchange, {
      ...asked,
      filter: 'county = $county',
      parameters,
    })) {
      console.log(`record ${page.receipt.index}, grant ${page.applied.grant}`);
      for (const row of batch.rows)
        console.log('  ', ...row.values.map((value) => value[value.kind] ?? null));
    }
    const closing = await save(
      exchange.read(asked, { deadline: Date.now() + 600_000 }),
      'persons.jsonl',
    );
    console.log(`persons.jsonl: ${closing.rows} rows, record ${closing.receipt.index}`);
  } catch (error) {
    if (typeof error.code !== 'number') throw error; // not gRPC's
    const said = refusal(error);
    console.error(`${grpc.status[error.code]} ${said.reason}: ${error.details}`, said.metadata);
    process.exitCode = said.safe ? 4 : 3;
  } finally {
    exchange.close();
  }
}

module.exports = { api, call, connect, pages, parse, refusal, types };
if (require.main === module) main(...process.argv.slice(2));
