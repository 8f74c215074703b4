#!/usr/bin/env python3
"""A first client of a Sluice gateway in Python: pages of rows, then all of them as a file.

    first_call.py GATEWAY FOLDER        such as gw1.gov.example:8443 relief

FOLDER holds key.pem and certificate.pem (sluice certs request) and the gateway's authority.pem.
Needs grpcio and protobuf (Debian: python3-grpcio) and stubs, made from proto/ into a folder that
PYTHONPATH names:

    protoc -I proto --python_out=stubs --grpc_out=stubs --plugin=protoc-gen-grpc=$(which \\
        grpc_python_plugin) proto/sluice/v1/*.proto proto/google/rpc/*.proto

docs/consumer.md says what each part is for.
"""

import collections
import hashlib
import os
import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2 as details
from sluice.v1 import audit_record_pb2, exchange_pb2 as api, exchange_pb2_grpc
from sluice.v1 import reason_pb2, values_pb2
import stream

Refusal = collections.namedtuple('Refusal', 'reason safe delay metadata fields message')


def connect(gateway, folder):
    """A channel over mutual TLS: our certificate says who we are. Keep it; it reconnects."""
    def read(name):
        with open(os.path.join(folder, name), 'rb') as file:
            return file.read()
    return grpc.secure_channel(
        gateway,
        grpc.ssl_channel_credentials(
            read('authority.pem'), read('key.pem'), read('certificate.pem')),
        options=[('grpc.keepalive_time_ms', 60_000),  # while a call runs; not below 30 s
                 ('grpc.keepalive_timeout_ms', 20_000),
                 ('grpc.http2.max_pings_without_data', 0),
                 ('grpc.max_receive_message_length', 2 << 20),  # messages have at most 1 MiB
                 ('grpc.enable_retries', 0)])  # only what its reason calls safe: call()


def refusal(error):
    """What an error says beside its code; reason is empty where gRPC itself failed."""
    status = details.Status()
    for key, value in error.trailing_metadata() or ():
        if key == 'grpc-status-details-bin':
            status.ParseFromString(value)
    info, retry, bad = details.ErrorInfo(), details.RetryInfo(), details.BadRequest()
    for detail in status.details:
        for part in (info, retry, bad):
            detail.Unpack(part)
    if info.reason:
        known = reason_pb2.Reason.DESCRIPTOR.values_by_name.get('REASON_' + info.reason)
        safe = known is not None and known.GetOptions().Extensions[
            reason_pb2.reason_info].retry == reason_pb2.RETRY_SAFE
    else:  # no answer came, and the request_id makes asking again harmless
        safe = error.code() == grpc.StatusCode.UNAVAILABLE
    return Refusal(info.reason, safe, retry.retry_delay.ToMilliseconds() / 1000,
                   dict(info.metadata), {v.field: v.description for v in bad.field_violations},
                   error.details())


def call(method, request, timeout=10, attempts=4):
    """One access, sent again under the same request_id only where that is safe."""
    request.request_id = str(uuid.uuid4())
    for attempt in range(1, attempts + 1):
        try:
            return method(request, timeout=timeout)
        except grpc.RpcError as error:
            said = refusal(error)
            # SOURCE_CHANGED ends the pages begun: they begin anew, without a token.
            if not said.safe or said.reason == 'SOURCE_CHANGED' or attempt == attempts:
                raise
            time.sleep(max(said.delay, 0.1 * 2 ** attempt))


def pages(exchange, request):
    """Each page with its rows; each is an access of its own, decided, recorded and counted."""
    while True:
        page = call(exchange.Query, request)
        envelope = audit_record_pb2.AuditEnvelope.FromString(page.receipt.envelope)
        if hashlib.sha256(page.payload).digest() != envelope.digest:
            raise ValueError('the payload is not the one that was recorded')
        yield page, values_pb2.RowBatch.FromString(page.payload)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def main(gateway, folder):
    exchange = exchange_pb2_grpc.ExchangeStub(connect(gateway, folder))
    asked = dict(dataset='public-security/persons', purpose='relief', case_reference='R-0118')
    query = api.QueryRequest(**asked, filter='county = $county')
    query.parameters['county'].values.add(string_value='东城区')
    try:
        for page, batch in pages(exchange, query):
            print(f'record {page.receipt.index}, grant {page.applied.grant}')
            for row in batch.rows:
                print('  ', *(getattr(value, value.WhichOneof('kind') or '', None)
                              for value in row.values))
        closing = stream.save(exchange.Read(api.ReadRequest(**asked), timeout=600), 'persons.jsonl')
        print(f'persons.jsonl: {closing.rows} rows, record {closing.receipt.index}')
    except grpc.RpcError as error:
        said = refusal(error)
        print(f'{error.code().name} {said.reason}: {said.message}', said.metadata, file=sys.stderr)
        return 4 if said.safe else 3
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
