// Arrow Flight against a gateway, by Arrow's own library for JavaScript: clients/node/flight.js.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { after, test } = require('node:test');
const env = process.env;
const client = require(env.SLUICE_CLIENT);
const folder = path.dirname(env.SLUICE_CLIENT);
const { api, connect, pages, parse, refusal } = require(path.join(folder, 'first_call.js'));
const { Root } = require(path.join(folder, 'stream.js'));
const library = (name) => require(require.resolve(name, { paths: [folder] }));
const [arrow, grpc] = [library('apache-arrow'), library('@grpc/grpc-js')];

const code = grpc.status;
const open = [];
function stub(Service, who) {
  open.push(connect(Service, env.SLUICE_GATEWAY, who));
  return open.at(-1);
}
const flight = stub(client.FlightService, env.SLUICE_RELIEF);
const others = stub(client.FlightService, env.SLUICE_PLANNING);
const owners = stub(client.FlightService, env.SLUICE_OWNER);
const exchange = stub(api.Exchange, env.SLUICE_RELIEF);
after(() => open.forEach((one) => one.close()));

const at = (dataset) => ({ type: 'PATH', path: ['public-security', dataset] });
const command = (request) => ({ type: 'CMD', cmd: Buffer.from(JSON.stringify(request)) });
const relief = { 'sluice-purpose': 'relief' };
const register = { dataset: 'public-security/register', purpose: 'relief' };
const soon = () => ({ deadline: Date.now() + 60_000 });
const stream = (ticket, by = flight) => by.doGet(ticket, soon());

async function all(generator) {
  const items = [];
  for await (const item of generator) items.push(item);
  return items;
}

// What a descriptor leads to: its info, record batches, and what came with each message.
async function read(descriptor, headers) {
  const info = await client.getInfo(flight, descriptor, headers);
  const said = [];
  const messages = client.ipc(stream(info.endpoint[0].ticket), { taken: (one) => said.push(one) });
  const reader = await (await arrow.RecordBatchReader.from(messages)).open();
  const { schema } = reader; // gone when the reader is at its end
  return { info, said, batches: await all(reader), schema };
}

async function refused(status, promise) {
  const error = await promise.then(
    () => assert.fail('it was answered'),
    (caught) => caught,
  );
  assert.equal(error.code, status, String(error));
  return refusal(error);
}

// A value as it lies in Arrow's buffers; text and bytes by the library.
function stored(batch, column, row) {
  const data = batch.data.children[column];
  if (!batch.getChildAt(column).isValid(row)) return null;
  if (arrow.DataType.isDecimal(data.type)) {
    const words = data.values.subarray(4 * row, 4 * row + 4);
    return words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  }
  if (data.values instanceof BigInt64Array || arrow.DataType.isDate(data.type))
    return BigInt(data.values[row]);
  const value = batch.getChildAt(column).get(row);
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

// The same of a reply to Query.
function queried(value) {
  switch (value.kind) {
    case 'decimalValue':
      return BigInt.asUintN(128, BigInt(value.decimalValue.replace('.', '')));
    case 'int64Value':
      return BigInt(value.int64Value);
    case 'dateValue':
      return BigInt(Date.parse(value.dateValue) / 86_400_000);
    case 'timestampValue':
      return BigInt(value.timestampValue.seconds) * 1_000_000n +
        BigInt(value.timestampValue.nanos / 1000);
    default:
      return value.kind ? value[value.kind] : null;
  }
}

const rowsOf = (batches) =>
  batches.flatMap((batch) =>
    Array.from({ length: batch.numRows }, (_, row) =>
      batch.schema.fields.map((_, column) => stored(batch, column, row)),
    ),
  );

test('values of all types are those of a query', async () => {
  const { batches, schema } = await read(at('measures'), relief);
  assert.deepEqual(
    schema.fields.map((field) => `${field.name}: ${field.type}`),
    [
      'number: Int64',
      'yes: Bool',
      'ratio: Float64',
      'amount: Decimal[12e+2]',
      'day: Date32<DAY>',
      'seen: Timestamp<MICROSECOND, UTC>',
      'visited: Timestamp<MICROSECOND>',
      'label: Utf8',
      'photo: Binary',
    ],
  );
  const rows = rowsOf(batches);
  const micros = BigInt(Date.UTC(2026, 10, 24, 2)) * 1000n + 1n;
  const day = BigInt(Date.UTC(2026, 10, 24) / 86_400_000);
  assert.deepEqual(rows[0], [
    1n, true, 0.1, 1250n, day, micros, micros, '张甲', Buffer.from([0, 255]),
  ]);
  assert.deepEqual(rows[1], [2n, ...Array(8).fill(null)]);
  const [[, batch]] = await all(
    pages(exchange, { dataset: 'public-security/measures', purpose: 'relief' }),
  );
  assert.equal(rows.length, 4);
  assert.deepEqual(
    rows,
    batch.rows.map((row) => row.values.map(queried)),
  );
});

test('masks are applied, and told before', async () => {
  const { info, batches, said } = await read(at('persons'), {
    ...relief,
    'sluice-case-reference-bin': '案-0118',
    'sluice-fields': 'county, id_number',
  });
  const rows = rowsOf(batches);
  assert.equal(rows.length, 12);
  for (const [, id] of rows) assert.match(id, /^990\*{11}\d{4}$/);
  assert.equal(info.ordered, false); // the key is masked
  assert.deepEqual([info.totalRecords, info.totalBytes], ['-1', '-1']);
  assert.deepEqual(info.flightDescriptor.path, ['public-security', 'persons']);
  const check = parse('sluice.v1.CheckResponse', info.appMetadata);
  assert.deepEqual(
    check.applied.fields.map((field) => [field.name, field.mask !== null]),
    [
      ['county', false],
      ['id_number', true],
    ],
  );
  const { opening } = said[0];
  assert.deepEqual(opening.applied.fields, check.applied.fields);
  assert.equal(opening.mediaType, 'application/vnd.apache.arrow.stream');
});

test('the schema is told as it comes', async () => {
  const info = await client.getInfo(flight, at('measures'), relief);
  const metadata = new grpc.Metadata();
  metadata.set('sluice-purpose', 'relief');
  const { schema } = await new Promise((resolve, reject) => {
    flight.getSchema(at('measures'), metadata, soon(), (error, reply) =>
      error ? reject(error) : resolve(reply),
    );
  });
  const [first] = await all(client.ipc(stream(info.endpoint[0].ticket)));
  assert.deepEqual(info.schema, schema);
  assert.deepEqual(first, schema);
});

test('two hundred thousand rows, each message small', async () => {
  const { info, batches, said } = await read(command(register));
  assert.equal(info.ordered, true);
  let next = 0n;
  for (const batch of batches)
    for (const number of batch.data.children[0].values.subarray(0, batch.numRows))
      assert.equal(number, next++);
  assert.equal(String(next), env.SLUICE_ROWS);
  const { closing } = said.at(-1);
  assert.equal(closing.rows, env.SLUICE_ROWS);
  assert.deepEqual(closing.batchLengths, []);
  const envelope = parse('sluice.v1.AuditEnvelope', closing.receipt.envelope);
  assert.deepEqual([envelope.kind, envelope.digest], ['RECORD_KIND_CLOSED', closing.digest]);
  assert.deepEqual(
    said.map((one) => Number(one.batch)),
    Array.from(said, (_, batch) => batch),
  );
});

test('a stream goes on behind a batch', async () => {
  const first = await client.getInfo(flight, command(register));
  const root = new Root();
  const [rows, tokens] = [[], []];
  const taken = (said) => tokens.push(said.resumeToken);
  const messages = stream(first.endpoint[0].ticket);
  const numbers = async (from, most) => {
    const reader = await arrow.RecordBatchReader.from(from);
    for await (const batch of reader) {
      rows.push(...batch.data.children[0].values.subarray(0, batch.numRows));
      if (--most === 0) break;
    }
  };
  // Arrow's reader asks ahead, so here each message is taken by hand.
  const parts = client.ipc(messages, { root, taken });
  const begun = [];
  for (let message = 0; message < 4; ++message) begun.push((await parts.next()).value);
  await numbers(begun, 3);
  messages.on('error', () => {}); // that it is cancelled
  messages.cancel();

  const request = { ...register, resumeToken: tokens.at(-1) };
  const next = await client.getInfo(flight, command(request));
  const said = [];
  await numbers(
    client.ipc(stream(next.endpoint[0].ticket), { root, taken: (one) => said.push(one) }),
  );
  assert.equal(String(rows.length), env.SLUICE_ROWS);
  assert.ok(rows.every((number, row) => number === BigInt(row)));
  assert.equal(said[0].opening.continues.batches, '4');
  assert.equal(said[1].batch, '4');
  assert.equal(said.at(-1).closing.rows, env.SLUICE_ROWS);

  const spoilt = { ...register, resumeToken: tokens.at(-1), filter: 'number > 7' };
  const error = await refused(code.INVALID_ARGUMENT, client.getInfo(flight, command(spoilt)));
  assert.equal(error.reason, 'RESUME_TOKEN_INVALID');
});

test('an empty result has a schema', async () => {
  const { batches, schema, said } = await read(
    command({
      ...register,
      filter: 'number = $number',
      parameters: { number: { values: [{ int64Value: '-1' }] } },
    }),
  );
  assert.deepEqual(rowsOf(batches), []);
  assert.deepEqual(
    schema.fields.map((field) => field.name),
    ['number', 'name'],
  );
  assert.equal(said.at(-1).closing.rows, '0');
});

test('what is denied has its reason', async () => {
  for (const [by, headers, reason] of [
    [flight, { 'sluice-purpose': 'census' }, 'PURPOSE_NOT_GRANTED'],
    [others, relief, 'NO_GRANT'],
    [owners, relief, 'CERTIFICATE_KIND_NOT_ALLOWED'],
  ]) {
    const said = await refused(
      code.PERMISSION_DENIED,
      client.getInfo(by, at('register'), headers),
    );
    assert.equal(said.reason, reason);
    assert.ok(Number(said.metadata.index) > 0);
  }
});

test('a mistake is named by its part', async () => {
  for (const [descriptor, headers, field] of [
    [{ type: 'PATH', path: ['register'] }, relief, 'flight_descriptor.path'],
    [{ type: 'UNKNOWN' }, relief, 'flight_descriptor.type'],
    [{ type: 'CMD', cmd: Buffer.from('{"dataset": 7}') }, {}, 'flight_descriptor.cmd'],
    [command({ ...register, mediaType: 'text/csv' }), {}, 'flight_descriptor.cmd.media_type'],
    [command(register), relief, 'headers.sluice-purpose'],
    [at('register'), { ...relief, 'sluice-case': 'R-0118' }, 'headers'],
    [at('register'), {}, 'purpose'],
  ]) {
    const said = await refused(
      code.INVALID_ARGUMENT,
      client.getInfo(flight, descriptor, headers),
    );
    assert.equal(said.reason, 'REQUEST_INVALID');
    assert.deepEqual(Object.keys(said.fields), [field]);
    assert.ok(Number(said.metadata.index) > 0, 'it is recorded');
  }
});

test('a ticket is its holder’s', async () => {
  const info = await client.getInfo(flight, at('register'), relief);
  const [{ ticket, location, expirationTime }] = info.endpoint;
  assert.deepEqual(location, []);
  const left = Number(expirationTime.seconds) - Date.now() / 1000;
  assert.ok(left > 0 && left <= 300, `${left} s`);
  const spoilt = Buffer.from(ticket.ticket);
  spoilt[20] ^= 1;
  for (const [by, bytes] of [
    [others, ticket.ticket],
    [owners, ticket.ticket],
    [flight, spoilt],
    [flight, Buffer.alloc(0)],
  ]) {
    const said = await refused(code.INVALID_ARGUMENT, all(stream({ ticket: bytes }, by)));
    assert.equal(said.reason, 'TICKET_INVALID');
    assert.ok(Number(said.metadata.index) > 0);
  }
});

test('what may be streamed is listed', async () => {
  const list = (expression, by = flight) =>
    all(by.listFlights({ expression: Buffer.from(expression) }, soon()));
  const names = (infos) => infos.map((info) => info.flightDescriptor.path.join('/'));
  const listed = await list('');
  assert.deepEqual(
    names(listed),
    ['measures', 'persons', 'register', 'slow'].map((name) => `public-security/${name}`),
  );
  for (const info of listed) assert.deepEqual(info.endpoint, []);
  assert.deepEqual(names(await list('REGISTER visited')), ['public-security/measures']);
  const [measures] = listed;
  assert.deepEqual(
    measures.schema,
    (await client.getInfo(flight, at('measures'), relief)).schema,
  );
  const summary = parse('sluice.v1.Dataset', measures.appMetadata);
  assert.deepEqual([summary.name, summary.source], ['public-security/measures', '']);
  assert.deepEqual(await list('', others), []);
  assert.deepEqual(await list('', owners), []);
  const said = await refused(code.INVALID_ARGUMENT, list('x'.repeat(201)));
  assert.deepEqual(Object.keys(said.fields), ['criteria.expression']);
});

test('the rest of Flight is not served', async () => {
  const error = await all(flight.doAction({ type: 'CancelFlightInfo' }, soon())).catch((it) => it);
  assert.equal(error.code, code.UNIMPLEMENTED);
  assert.match(error.details, /DoGet/);
  for (const method of ['handshake', 'doPut', 'doExchange']) {
    const call = flight[method](soon());
    assert.equal((await all(call).catch((it) => it)).code, code.UNIMPLEMENTED, method);
  }
});
