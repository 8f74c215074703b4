#!/usr/bin/env python3
"""Fails where an #include points back: check_includes.py [ROOT].

The rooms of the tree stand in one order, and code may include only from its own room and from
those to its right. proto/ is open to all. gRPC is seen by a few folders only, so that everything
else can be tested without a server.
"""

import os
import re
import sys

ROOMS = [
    'main', 'cli', 'rpc', 'witness', 'http', 'exchange', 'sharing', 'policy', 'catalogue', 'identity', 'audit',
    'store', 'adapters', 'records', 'certs', 'base',
]
# Beside the house: they may look into every room, and no room looks into them.
OUTSIDE = ['tests', 'bench']
GRPC_FOLDERS = ['gateway/rpc/', 'adapters/remote/', 'cli/client/', 'tests/', 'bench/']
GRPC_INCLUDE = re.compile(r'grpc(pp|\+\+)?/|.*\.grpc\.pb\.h$')
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
TREES = ('gateway', 'adapters', 'certs', 'cli', 'tests', 'bench')


def room_of(path):
    """The room that a path from the root belongs to; None where it belongs to none."""
    parts = path.split('/')
    if parts[0] == 'gateway':
        # gateway/main.cc and what only it uses stand directly in gateway/.
        return 'main' if len(parts) == 2 else parts[1]
    return parts[0] if parts[0] in TREES else None


def mistake_in(path, quote, included, root):
    """What is wrong with one #include, or None."""
    if GRPC_INCLUDE.match(included) and not path.startswith(tuple(GRPC_FOLDERS)):
        return 'gRPC is seen in ' + ', '.join(GRPC_FOLDERS) + ' only'
    if quote == '"' and os.path.exists(os.path.join(root, os.path.dirname(path), included)) \
            and not os.path.exists(os.path.join(root, included)):
        return 'write the path from the root of the tree'
    target = room_of(included)
    if target is None:
        return None
    home = room_of(path)
    if home in OUTSIDE:
        # A bench may use a test's parts, not the other way round.
        return 'tests/ does not look into bench/' if (home, target) == ('tests', 'bench') else None
    if target in OUTSIDE:
        return f'{home} does not look into {target}/'
    for room, where in ((home, path), (target, included)):
        if room not in ROOMS:
            return f'{where} is in no room; the rooms are ' + ' '.join(ROOMS)
    if ROOMS.index(target) < ROOMS.index(home):
        return f'{target} stands to the left of {home}'
    return None


def sources(root):
    """Paths from the root of all sources and headers, sorted."""
    for tree in TREES:
        for folder, folders, names in os.walk(os.path.join(root, tree)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(('.h', '.cc')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def main(root):
    found = seen = 0
    for path in sources(root):
        with open(os.path.join(root, path), encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                seen += 1
                mistake = mistake_in(path, match[1], match[2], root)
                if mistake:
                    found += 1
                    print(f'{path}:{number}: {match[2]}: {mistake}')
    if not seen:
        print(f'{root}: no includes found: is this the root of the tree?')
        return 1
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.getcwd()))
