#!/usr/bin/env python3
"""Reads a gateway's /metrics by Prometheus' own parser: read_metrics.py URL.

Fails where a page is not what Prometheus' conventions ask for, or where a label could name a person.
Prints a JSON object: each sample's name with its labels, and its value.
"""

import json
import re
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

LABELS = {'alarm', 'mode', 'outcome', 'reason', 'le', 'source', 'state', 'version', 'witness'}
UNITS = ('_seconds', '_bytes', '_total', '_records', '_info')


def check_histogram(family):
    rows = {}
    for sample in family.samples:
        labels = dict(sample.labels)
        le = labels.pop('le', None)
        row = rows.setdefault(tuple(sorted(labels.items())), {'buckets': []})
        if le is not None:
            row['buckets'].append((float(le), sample.value))
        else:
            row[sample.name.rsplit('_', 1)[1]] = sample.value
    for labels, row in rows.items():
        ends = [end for end, _ in row['buckets']]
        counts = [count for _, count in row['buckets']]
        assert ends == sorted(ends) and ends[-1] == float('inf'), (family.name, labels, ends)
        assert counts == sorted(counts), (family.name, labels, counts)
        assert counts[-1] == row['count'], (family.name, labels, row)
        assert row['sum'] >= 0, (family.name, labels)


def main(url):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=20) as answer:
        kind = answer.headers['Content-Type']
        assert kind == 'text/plain; version=0.0.4; charset=utf-8', kind
        text = answer.read().decode('utf-8')
    samples = {}
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families), 'a family stands twice'
    for family in families:
        assert re.fullmatch(r'sluice_[a-z][a-z_]*[a-z]', family.name), family.name
        assert family.type in ('counter', 'gauge', 'histogram'), (family.name, family.type)
        assert family.documentation.endswith('.'), family.name
        if family.type == 'histogram':
            assert family.name.endswith('_seconds'), family.name
            check_histogram(family)
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample
            if family.type == 'counter':
                assert sample.name.endswith('_total') and sample.value >= 0, sample
            name = sample.name + ''.join(f' {k}={v}' for k, v in sorted(sample.labels.items()))
            assert name not in samples, name
            samples[name] = sample.value
        if 'timestamp' in family.name:
            assert family.name.endswith('_timestamp_seconds'), family.name
    assert any(name.startswith('sluice_') and name.split(' ')[0].endswith(UNITS) for name in samples)
    print(json.dumps(samples))


if __name__ == '__main__':
    main(sys.argv[1])
