"""The metrics that rules and a dashboard name, each of which must be one of the gateway's.

metric_names.py METRICS-URL ALERTS.YML DASHBOARD.JSON
    prints as JSON what is named, and what of it is not in the page
"""

import json
import re
import sys
import urllib.request

import yaml

# In PromQL these are followed by a parenthesis or stand for something else.
NAME = re.compile(r'\bsluice_[a-z0-9_]+\b')
ALARM = re.compile(r'sluice_alarm\{alarm="([a-z_]+)"\}')


def main(url, alerts, dashboard):
    with urllib.request.urlopen(url, timeout=20) as answer:
        page = answer.read().decode()
    families = set(re.findall(r'^# TYPE (\S+) ', page, re.M))
    alarms = set(re.findall(r'^sluice_alarm\{alarm="([a-z_]+)"\}', page, re.M))
    with open(alerts, encoding='utf-8') as file:
        rules = [rule for group in yaml.safe_load(file)['groups'] for rule in group['rules']]
    with open(dashboard, encoding='utf-8') as file:
        panels = json.load(file)['panels']
    expressions = [rule['expr'] for rule in rules]
    expressions += [target['expr'] for panel in panels for target in panel['targets']]
    named = {name for expression in expressions for name in NAME.findall(expression)}
    told = {name for rule in rules for name in ALARM.findall(rule['expr'])}
    unknown = sorted(name for name in named
                     if re.sub(r'_(bucket|sum|count)$', '', name) not in families
                     and name not in families)
    return {'named': sorted(named), 'unknown': unknown,
            'alarms': sorted(alarms), 'alarms_without_rule': sorted(alarms - told),
            'rules_without_alarm': sorted(told - alarms),
            'runbooks': sorted({rule['annotations']['runbook'] for rule in rules})}


if __name__ == '__main__':
    print(json.dumps(main(*sys.argv[1:])))
