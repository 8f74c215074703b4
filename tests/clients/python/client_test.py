"""The Python client of clients/python against a gateway: each call of Exchange and of Catalogue."""

import json
import os
import unittest

import grpc
import first_call
import stream
from first_call import api, audit_record_pb2, details
from sluice.v1 import catalogue_pb2, catalogue_pb2_grpc, exchange_pb2_grpc
from sluice.v1 import sharing_pb2, sharing_pb2_grpc

GATEWAY = os.environ['SLUICE_GATEWAY']
ROWS = int(os.environ['SLUICE_ROWS'])
PERSONS = dict(dataset='public-security/persons', purpose='relief', case_reference='R-0118')
REGISTER = dict(dataset='public-security/register', purpose='relief')
CODE = grpc.StatusCode


def out(name):
    return os.path.join(os.environ['SLUICE_OUT'], name)


def envelope(receipt):
    return audit_record_pb2.AuditEnvelope.FromString(receipt.envelope)


class Said(grpc.RpcError):
    """An error as the gateway makes it."""
    def __init__(self, code, reason):
        super().__init__()
        status = details.Status()
        status.details.add().Pack(details.ErrorInfo(reason=reason, domain='sluice'))
        delay = details.RetryInfo()
        delay.retry_delay.FromMilliseconds(250)
        status.details.add().Pack(delay)
        self.code = lambda: code
        self.details = lambda: 'said'
        self.trailing_metadata = lambda: [('grpc-status-details-bin', status.SerializeToString())]


class ClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.relief = first_call.connect(GATEWAY, os.environ['SLUICE_RELIEF'])
        cls.owner = first_call.connect(GATEWAY, os.environ['SLUICE_OWNER'])
        cls.office = first_call.connect(GATEWAY, os.environ['SLUICE_OFFICE'])
        cls.exchange = exchange_pb2_grpc.ExchangeStub(cls.relief)
        cls.catalogue = catalogue_pb2_grpc.CatalogueStub(cls.owner)

    @classmethod
    def tearDownClass(cls):
        cls.relief.close()
        cls.owner.close()
        cls.office.close()

    def refused(self, code, method, request, **options):
        with self.assertRaises(grpc.RpcError) as caught:
            first_call.call(method, request, **options) if isinstance(request, api.QueryRequest) \
                else method(request, timeout=10)
        self.assertEqual(caught.exception.code(), code, caught.exception)
        return first_call.refusal(caught.exception)

    def test_query_permitted(self):
        request = api.QueryRequest(**PERSONS, filter='county = $county')
        request.parameters['county'].values.add(string_value='东城区')
        [(page, batch)] = first_call.pages(self.exchange, request)
        self.assertEqual(page.rows, 4)
        self.assertEqual([column.name for column in batch.columns],
                         ['id_number', 'name', 'birth_date', 'county'])
        self.assertEqual(sorted(row.values[0].string_value for row in batch.rows),  # in no order
                         ['990***********3019', '990***********3047', '990***********3075',
                          '990***********3101'])
        self.assertEqual(envelope(page.receipt).purpose, 'relief')
        with open(out('page.rows'), 'wb') as file:
            file.write(page.payload)
        with open(out('page.rows.receipt.json'), 'w', encoding='utf-8') as file:
            json.dump(stream.keep(page.receipt), file)

    def test_query_in_pages(self):
        request = api.QueryRequest(**REGISTER, filter='number < 1000', page_size=400)
        pages = list(first_call.pages(self.exchange, request))
        self.assertEqual([page.rows for page, _ in pages], [400, 400, 200])
        self.assertEqual([row.values[0].int64_value for _, batch in pages for row in batch.rows],
                         list(range(1000)))
        self.assertEqual(envelope(pages[2][0].receipt).first_page, pages[0][0].receipt.index)

    def test_query_denied(self):
        said = self.refused(CODE.PERMISSION_DENIED, self.exchange.Query,
                            api.QueryRequest(**{**PERSONS, 'purpose': 'census'}))
        self.assertEqual(said.reason, 'PURPOSE_NOT_GRANTED')
        self.assertEqual(said.metadata['dataset'], 'public-security/persons')
        self.assertGreater(int(said.metadata['index']), 0)
        self.assertFalse(said.safe)

    def test_query_with_a_bad_filter(self):
        said = self.refused(CODE.INVALID_ARGUMENT, self.exchange.Query,
                            api.QueryRequest(**PERSONS, filter='county == "x"'))
        self.assertEqual(said.reason, 'FILTER_INVALID')
        self.assertEqual(list(said.fields), ['filter:8'])

    def test_query_past_its_deadline(self):
        request = api.QueryRequest(dataset='public-security/slow', purpose='relief')
        self.refused(CODE.DEADLINE_EXCEEDED, self.exchange.Query, request, timeout=0.3)

    def test_wrong_certificates(self):
        relief, other = os.environ['SLUICE_RELIEF'], os.environ['SLUICE_OTHER']

        def read(*parts):
            with open(os.path.join(*parts), 'rb') as file:
                return file.read()

        ours, theirs = read(relief, 'authority.pem'), read(other, 'tls/authority.pem')
        pair = [read(relief, name) for name in ('key.pem', 'certificate.pem')]
        foreign = [read(other, 'profiles/relief', name) for name in ('key.pem', 'certificate.pem')]
        for what, parts in (('a gateway of another authority', [theirs, *pair]),
                            ('a certificate of another authority', [ours, *foreign]),
                            ('no certificate', [ours])):
            with self.subTest(what), \
                    grpc.secure_channel(GATEWAY, grpc.ssl_channel_credentials(*parts)) as channel:
                with self.assertRaises(grpc.RpcError) as caught:
                    exchange_pb2_grpc.ExchangeStub(channel).Query(api.QueryRequest(**PERSONS),
                                                                  timeout=10)
                self.assertEqual(caught.exception.code(), CODE.UNAVAILABLE)

    def test_read_whole(self):
        closing = stream.save(
            self.exchange.Read(api.ReadRequest(**REGISTER), timeout=60), out('register.jsonl'))
        self.assertEqual(closing.rows, ROWS)
        self.assertEqual(os.path.getsize(out('register.jsonl')), closing.payload_bytes)
        self.assertEqual(envelope(closing.receipt).digest, closing.digest)

    def test_read_of_altered_bytes(self):
        def altered():
            for message in self.exchange.Read(api.ReadRequest(**PERSONS), timeout=10):
                if message.payload:
                    message.payload = message.payload.replace(b'1950', b'1951')
                yield message
        with self.assertRaisesRegex(ValueError, 'batch 0'):
            stream.save(altered(), out('altered.jsonl'))
        self.assertFalse(os.path.exists(out('altered.jsonl')))

    def test_read_cancelled_midway(self):
        reading = self.exchange.Read(api.ReadRequest(**REGISTER), timeout=60)
        with self.assertRaises(grpc.RpcError) as caught:
            stream.save(cancelled_after(reading, 5), out('cancelled.jsonl'))
        self.assertEqual(caught.exception.code(), CODE.CANCELLED)
        self.assertFalse(os.path.exists(out('cancelled.jsonl')))
        self.exchange.Query(api.QueryRequest(**PERSONS), timeout=10)

    def test_roots_of_the_published_example(self):
        with open(os.environ['SLUICE_STREAM_PAGE'], encoding='utf-8') as page:
            hashes = [bytes.fromhex(line.strip()) for line in page if len(line.strip()) == 64
                      and set(line.strip()) <= set('0123456789abcdef')]
        digests, roots = hashes[:3], hashes[3:]
        root = stream.Root()
        self.assertEqual(root.digest(), roots[0])
        for digest, expected in zip(digests, roots[1:], strict=True):
            root.add(digest)
            self.assertEqual(root.digest(), expected)

    def test_only_what_is_safe_is_sent_again_as_the_same_access(self):
        for code, reason, times in ((CODE.UNAVAILABLE, 'AUDIT_UNAVAILABLE', 2),
                                    (CODE.PERMISSION_DENIED, 'PURPOSE_NOT_GRANTED', 1),
                                    (CODE.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 1)):
            sent = []

            def method(request, timeout):  # pylint: disable=unused-argument
                sent.append(request.request_id)
                raise Said(code, reason)
            with self.subTest(reason), self.assertRaises(Said) as caught:
                first_call.call(method, api.QueryRequest(**PERSONS), attempts=2)
            self.assertEqual(first_call.refusal(caught.exception).delay, 0.25)
            self.assertEqual(len(sent), times)
            self.assertEqual(len(set(sent)), 1)

    def test_the_same_request_id_is_the_same_access(self):
        request = api.QueryRequest(**PERSONS, request_id='first-call_1')
        first, again = (self.exchange.Query(request, timeout=10) for _ in range(2))
        self.assertEqual(envelope(again.receipt).repeats, first.receipt.index)
        self.assertEqual(again.applied.quota_left.rows_today, first.applied.quota_left.rows_today)
        request.filter = 'county = "x"'
        with self.assertRaises(grpc.RpcError) as caught:
            self.exchange.Query(request, timeout=10)
        said = first_call.refusal(caught.exception)
        self.assertEqual((said.reason, said.safe), ('REQUEST_ID_CONFLICT', False))

    def test_check(self):
        answer = self.exchange.Check(api.CheckRequest(**PERSONS), timeout=10)
        self.assertTrue(answer.applied.grant)
        self.assertEqual(envelope(answer.receipt).kind, audit_record_pb2.RECORD_KIND_CHECKED)
        said = self.refused(CODE.PERMISSION_DENIED, self.exchange.Check,
                            api.CheckRequest(**{**PERSONS, 'purpose': 'census'}))
        self.assertEqual(said.reason, 'PURPOSE_NOT_GRANTED')

    def test_preview(self):
        sharing = sharing_pb2_grpc.SharingStub(self.office)
        wanted = sharing_pb2.AccessRequest(
            dataset='public-security/persons', purposes=['relief'], fields=['name', 'county'],
            basis=sharing_pb2.LegalBasis(law='社会救助暂行办法', article='第五十八条'),
            modes=[sharing_pb2.MODE_QUERY], justification='Applications of the county')
        wanted.expires.FromJsonString('2099-01-01T00:00:00Z')
        asked = sharing.SubmitAccessRequest(
            sharing_pb2.SubmitAccessRequestRequest(request=wanted), timeout=10).request
        owner = exchange_pb2_grpc.ExchangeStub(self.owner)
        answer = owner.Preview(api.PreviewRequest(access_request=asked.id, limit=2), timeout=10)
        self.assertEqual(answer.rows, 2)
        self.assertEqual(envelope(answer.receipt).kind, audit_record_pb2.RECORD_KIND_PREVIEWED)

    def test_list_datasets(self):
        listed = catalogue_pb2_grpc.CatalogueStub(self.relief).ListDatasets(
            catalogue_pb2.ListDatasetsRequest(agency='public-security', page_size=2), timeout=10)
        self.assertEqual([dataset.name for dataset in listed.datasets],
                         ['public-security/persons', 'public-security/register'])
        self.assertTrue(listed.next_page_token)

    def test_get_dataset(self):
        request = catalogue_pb2.GetDatasetRequest(name='public-security/persons')
        seen = catalogue_pb2_grpc.CatalogueStub(self.relief).GetDataset(request, timeout=10)
        self.assertEqual(seen.dataset.fields[0].subject, 'CN-RID')
        self.assertEqual(seen.dataset.source, '')  # the owner's matter
        self.assertEqual(self.catalogue.GetDataset(request, timeout=10).dataset.source, 'residents')
        request.name = 'public-security/nothing'
        self.assertEqual(self.refused(CODE.NOT_FOUND, self.catalogue.GetDataset, request).reason,
                         'DATASET_UNKNOWN')

    def test_apply_dataset(self):
        dataset = self.catalogue.GetDataset(
            catalogue_pb2.GetDatasetRequest(name='public-security/slow'), timeout=10).dataset
        dataset.title.en = 'Slow, from Python'
        request = catalogue_pb2.ApplyDatasetRequest(dataset=dataset)
        applied = self.catalogue.ApplyDataset(request, timeout=10)
        self.assertEqual(applied.dataset.revision, dataset.revision + 1)
        self.assertTrue(any('title' in line for line in applied.differences), applied.differences)
        said = self.refused(CODE.ABORTED, self.catalogue.ApplyDataset, request)
        self.assertEqual(said.reason, 'ETAG_MISMATCH')

    def test_set_dataset_state(self):
        def change(state):
            return self.catalogue.SetDatasetState(
                catalogue_pb2.SetDatasetStateRequest(
                    name='public-security/slow', state=state, reason='A test'), timeout=10)
        suspended = change(catalogue_pb2.DATASET_STATE_SUSPENDED).dataset
        self.assertEqual(suspended.state_reason, 'A test')
        said = self.refused(CODE.FAILED_PRECONDITION, self.exchange.Query,
                            api.QueryRequest(dataset='public-security/slow', purpose='relief'))
        self.assertEqual(said.reason, 'DATASET_SUSPENDED')
        change(catalogue_pb2.DATASET_STATE_OFFERED)


def cancelled_after(reading, batch):
    for message in reading:
        if message.batch == batch:
            reading.cancel()
        yield message


if __name__ == '__main__':
    unittest.main()
