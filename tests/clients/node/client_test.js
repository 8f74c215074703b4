// The Node client of clients/node against a gateway: each call of Exchange and of Catalogue.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');
const env = process.env;
const client = require(env.SLUICE_CLIENT);
const stream = require(path.join(path.dirname(env.SLUICE_CLIENT), 'stream.js'));
const grpc = require(
  require.resolve('@grpc/grpc-js', { paths: [path.dirname(env.SLUICE_CLIENT)] }),
);
const { api, call, parse } = client;

const code = grpc.status;
const persons = { dataset: 'public-security/persons', purpose: 'relief', caseReference: 'R-0118' };
const register = { dataset: 'public-security/register', purpose: 'relief' };
const soon = () => ({ deadline: Date.now() + 60_000 });
const out = (name) => path.join(env.SLUICE_OUT, name);
const envelope = (receipt) => parse('sluice.v1.AuditEnvelope', receipt.envelope);

const open = [];
function connect(Service, folder) {
  open.push(client.connect(Service, env.SLUICE_GATEWAY, folder));
  return open.at(-1);
}
const exchange = connect(api.Exchange, env.SLUICE_RELIEF);
const catalogue = connect(api.Catalogue, env.SLUICE_RELIEF);
const sharing = connect(api.Sharing, env.SLUICE_OFFICE);
const ownersExchange = connect(api.Exchange, env.SLUICE_OWNER);
const ownersCatalogue = connect(api.Catalogue, env.SLUICE_OWNER);
after(() => open.forEach((one) => one.close()));

// One call of a method that has no request_id.
function ask(stub, method, request, options = soon()) {
  return new Promise((resolve, reject) => {
    stub[method](request, options, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

async function refused(status, promise) {
  const error = await promise.then(
    () => assert.fail('it was answered'),
    (caught) => caught,
  );
  assert.equal(error.code, status, String(error));
  return client.refusal(error);
}

async function all(generator) {
  const items = [];
  for await (const item of generator) items.push(item);
  return items;
}

test('a query that is permitted', async () => {
  const [[page, batch], ...more] = await all(
    client.pages(exchange, {
      ...persons,
      filter: 'county = $county',
      parameters: { county: { values: [{ stringValue: '东城区' }] } },
    }),
  );
  assert.equal(more.length, 0);
  assert.equal(page.rows, '4');
  assert.deepEqual(
    batch.columns.map((column) => column.name),
    ['id_number', 'name', 'birth_date', 'county'],
  );
  assert.deepEqual(
    batch.rows.map((row) => row.values[0].stringValue).sort(), // in no order
    ['990***********3019', '990***********3047', '990***********3075', '990***********3101'],
  );
  assert.equal(envelope(page.receipt).purpose, 'relief');
  fs.writeFileSync(out('page.rows'), page.payload);
  fs.writeFileSync(out('page.rows.receipt.json'), JSON.stringify(stream.keep(page.receipt)));
});

test('a query in pages', async () => {
  const pages = await all(
    client.pages(exchange, { ...register, filter: 'number < 1000', pageSize: 400 }),
  );
  assert.deepEqual(
    pages.map(([page]) => page.rows),
    ['400', '400', '200'],
  );
  assert.deepEqual(
    pages.flatMap(([, batch]) => batch.rows.map((row) => Number(row.values[0].int64Value))),
    Array.from({ length: 1000 }, (_, number) => number),
  );
  assert.equal(envelope(pages[2][0].receipt).firstPage, pages[0][0].receipt.index);
});

test('a query that is denied', async () => {
  const said = await refused(
    code.PERMISSION_DENIED,
    call(exchange.query.bind(exchange), { ...persons, purpose: 'census' }),
  );
  assert.equal(said.reason, 'PURPOSE_NOT_GRANTED');
  assert.equal(said.metadata.dataset, 'public-security/persons');
  assert.ok(Number(said.metadata.index) > 0);
  assert.equal(said.safe, false);
});

test('a query with a bad filter', async () => {
  const said = await refused(
    code.INVALID_ARGUMENT,
    call(exchange.query.bind(exchange), { ...persons, filter: 'county == "x"' }),
  );
  assert.equal(said.reason, 'FILTER_INVALID');
  assert.deepEqual(Object.keys(said.fields), ['filter:8']);
});

test('a query past its deadline', async () => {
  // Where the gateway is faster than our own clock, its reason calls it safe: once is enough here.
  await refused(
    code.DEADLINE_EXCEEDED,
    call(
      exchange.query.bind(exchange),
      { dataset: 'public-security/slow', purpose: 'relief' },
      { timeout: 300, attempts: 1 },
    ),
  );
});

test('wrong certificates', async (t) => {
  const read = (...parts) => fs.readFileSync(path.join(...parts));
  const pair = (folder) => [read(folder, 'key.pem'), read(folder, 'certificate.pem')];
  const ours = read(env.SLUICE_RELIEF, 'authority.pem');
  const cases = {
    'a gateway of another authority': [
      read(env.SLUICE_OTHER, 'tls/authority.pem'),
      ...pair(env.SLUICE_RELIEF),
    ],
    'a certificate of another authority': [
      ours,
      ...pair(path.join(env.SLUICE_OTHER, 'profiles/relief')),
    ],
    'no certificate': [ours],
  };
  for (const [what, parts] of Object.entries(cases)) {
    await t.test(what, async () => {
      const stub = new api.Exchange(env.SLUICE_GATEWAY, grpc.credentials.createSsl(...parts));
      await refused(code.UNAVAILABLE, ask(stub, 'Query', persons)).finally(() => stub.close());
    });
  }
});

test('a whole stream', async () => {
  const closing = await stream.save(exchange.read(register, soon()), out('register.jsonl'));
  assert.equal(closing.rows, env.SLUICE_ROWS);
  assert.equal(String(fs.statSync(out('register.jsonl')).size), closing.payloadBytes);
  assert.deepEqual(envelope(closing.receipt).digest, closing.digest);
});

test('a stream of altered bytes', async () => {
  async function* altered() {
    for await (const message of exchange.read(persons, soon())) {
      message.payload = Buffer.from(message.payload.toString().replace('1950', '1951'));
      yield message;
    }
  }
  await assert.rejects(stream.save(altered(), out('altered.jsonl')), /batch 0 is not/);
  assert.ok(!fs.existsSync(out('altered.jsonl')));
});

test('a stream cancelled midway', async () => {
  const reading = exchange.read(register, soon());
  async function* cancelled() {
    for await (const message of reading) {
      if (message.batch === '5') reading.cancel();
      yield message;
    }
  }
  await refused(code.CANCELLED, stream.save(cancelled(), out('cancelled.jsonl')));
  assert.ok(!fs.existsSync(out('cancelled.jsonl')));
  await ask(exchange, 'Query', persons);
});

test('the roots of the published example', () => {
  const hashes = fs
    .readFileSync(env.SLUICE_STREAM_PAGE, 'utf8')
    .split('\n')
    .filter((line) => /^[0-9a-f]{64}$/.test(line));
  const root = new stream.Root();
  assert.equal(hashes.length, 7);
  assert.equal(root.digest().toString('hex'), hashes[3]);
  for (const [at, digest] of hashes.slice(0, 3).entries()) {
    root.add(Buffer.from(digest, 'hex'));
    assert.equal(root.digest().toString('hex'), hashes[4 + at]);
  }
});

test('only what is safe is sent again, as the same access', async () => {
  const types = client.types;
  for (const [status, reason, times] of [
    [code.UNAVAILABLE, 'AUDIT_UNAVAILABLE', 2],
    [code.PERMISSION_DENIED, 'PURPOSE_NOT_GRANTED', 1],
    [code.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 1],
  ]) {
    const detail = (type, message) => ({
      type_url: `type.googleapis.com/${type}`,
      value: types[type].serialize(message),
    });
    const details = [
      detail('google.rpc.ErrorInfo', { reason, domain: 'sluice' }),
      detail('google.rpc.RetryInfo', { retryDelay: { nanos: 250e6 } }),
    ];
    const metadata = new grpc.Metadata();
    metadata.set('grpc-status-details-bin', types['google.rpc.Status'].serialize({ details }));
    const sent = [];
    const method = (request, _, done) => {
      sent.push(request.requestId);
      done(Object.assign(new Error('said'), { code: status, metadata }));
    };
    const said = await refused(status, call(method, persons, { attempts: 2 }));
    assert.equal(said.delay, 250);
    assert.equal(sent.length, times, reason);
    assert.equal(new Set(sent).size, 1);
  }
});

test('a check', async () => {
  const reply = await ask(exchange, 'Check', persons);
  assert.ok(reply.applied.grant);
  assert.equal(envelope(reply.receipt).kind, 'RECORD_KIND_CHECKED');
  const said = await refused(
    code.PERMISSION_DENIED,
    ask(exchange, 'Check', { ...persons, purpose: 'census' }),
  );
  assert.equal(said.reason, 'PURPOSE_NOT_GRANTED');
});

test('a preview', async () => {
  const { request } = await ask(sharing, 'SubmitAccessRequest', {
    request: {
      dataset: 'public-security/persons',
      purposes: ['relief'],
      fields: ['name', 'county'],
      basis: { law: '社会救助暂行办法', article: '第五十八条' },
      modes: ['MODE_QUERY'],
      expires: { seconds: Date.UTC(2099, 0, 1) / 1000 },
      justification: 'Applications of the county',
    },
  });
  const reply = await ask(ownersExchange, 'Preview', { accessRequest: request.id, limit: 2 });
  assert.equal(reply.rows, '2');
  assert.equal(envelope(reply.receipt).kind, 'RECORD_KIND_PREVIEWED');
});

test('datasets listed', async () => {
  const listed = await ask(catalogue, 'ListDatasets', { agency: 'public-security', pageSize: 2 });
  assert.deepEqual(
    listed.datasets.map((dataset) => dataset.name),
    ['public-security/persons', 'public-security/register'],
  );
  assert.ok(listed.nextPageToken);
});

test('a dataset shown', async () => {
  const request = { name: 'public-security/persons' };
  const seen = await ask(catalogue, 'GetDataset', request);
  assert.equal(seen.dataset.fields[0].subject, 'CN-RID');
  assert.equal(seen.dataset.source, ''); // the owner's matter
  assert.equal((await ask(ownersCatalogue, 'GetDataset', request)).dataset.source, 'residents');
  const said = await refused(
    code.NOT_FOUND,
    ask(catalogue, 'GetDataset', { name: 'public-security/nothing' }),
  );
  assert.equal(said.reason, 'DATASET_UNKNOWN');
});

test('a dataset changed', async () => {
  const { dataset } = await ask(ownersCatalogue, 'GetDataset', { name: 'public-security/slow' });
  const changed = { dataset: { ...dataset, title: { en: 'Slow, from Node' } } };
  const applied = await ask(ownersCatalogue, 'ApplyDataset', changed);
  assert.equal(Number(applied.dataset.revision), Number(dataset.revision) + 1);
  assert.ok(
    applied.differences.some((line) => line.includes('title')),
    applied.differences.join('\n'),
  );
  assert.equal(
    (await refused(code.ABORTED, ask(ownersCatalogue, 'ApplyDataset', changed))).reason,
    'ETAG_MISMATCH',
  );
});

test('a dataset suspended and resumed', async () => {
  const change = (state) =>
    ask(ownersCatalogue, 'SetDatasetState', {
      name: 'public-security/slow',
      state,
      reason: 'A test',
    });
  assert.equal((await change('DATASET_STATE_SUSPENDED')).dataset.stateReason, 'A test');
  const said = await refused(
    code.FAILED_PRECONDITION,
    ask(exchange, 'Query', { dataset: 'public-security/slow', purpose: 'relief' }),
  );
  assert.equal(said.reason, 'DATASET_SUSPENDED');
  await change('DATASET_STATE_OFFERED');
});
