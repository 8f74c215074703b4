"""What was measured, as a table for people, as Markdown and as JSON."""

import datetime
import json
import os
import platform
import re

from comparing.processes import Failed

HEADER = ('work', 'against', 'work does', 'other does', 'ratio', 'low', 'high', 'goal', '', '')
HEADING = '## What it came to'


def _number(value, unit):
    return f'{value:,.1f} {unit}' if value < 100 else f'{value:,.0f} {unit}'


def _cells(result):
    goal = '–' if result['goal'] is None else \
        ('≤ ' if result['at_most'] else '≥ ') + f'{result["goal"]:.2f}'
    held = {None: '', True: 'held', False: 'missed'}[result['held']]
    return (result['work'], result['against'], _number(result['a'], result['unit']),
            _number(result['b'], result['unit']), f'{result["ratio"]:.2f}', f'{result["low"]:.2f}',
            f'{result["high"]:.2f}', goal, held, result['note'])


def table(results):
    lines = [HEADER] + [_cells(result) for result in results]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    return '\n'.join(
        '  '.join(cell.rjust(width) if 2 <= i <= 7 else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines)


def _machine():
    model = platform.machine()
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
                break
    with open('/proc/meminfo', encoding='ascii') as file:
        memory = int(file.readline().split()[1]) / 2**20
    return f'{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}'


def markdown(results, turns, seconds):
    """A section of docs/performance.md, with its heading."""
    lines = [HEADING, '',
             f'Measured {datetime.date.today()} on {_machine()}: medians of {turns} turns of '
             f'{seconds:g} s each.',
             '', '| work (A) | against (B) | A | B | A/B | lowest to highest | goal | |',
             '|---|---|---|---|---|---|---|---|']
    for result in results:
        work, against, a, b, ratio, low, high, goal, held, note = _cells(result)
        last = ', '.join(word for word in (held, note) if word)
        lines.append(f'| {work} | {against} | {a} | {b} | {ratio} | {low} to {high} | {goal} '
                     f'| {last} |')
    return '\n'.join(lines) + '\n'


def replace_section(path, section):
    """Puts the section in the place of the one with its heading."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    old = re.compile(rf'^{re.escape(HEADING)}\n.*?(?=^## |\Z)', re.MULTILINE | re.DOTALL)
    if not old.search(text):
        raise Failed(f'{path} has no section "{HEADING}"')
    behind = '\n' if old.search(text).end() < len(text) else ''
    with open(path, 'w', encoding='utf-8') as file:
        file.write(old.sub(lambda match: section + behind, text))


def write_json(path, results):
    """One object a row."""
    with open(path, 'w', encoding='utf-8') as file:
        for result in results:
            file.write(json.dumps(result, ensure_ascii=False) + '\n')
