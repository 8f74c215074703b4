#!/usr/bin/env python3
"""Fails where a document names what is not there: check_docs.py [ROOT].

- A relative link of a *.md file must lead to a file, and its #anchor to a heading there.
- A path in backticks that begins with a folder of the tree must exist. Placeholders (with a capital
  component such as KIND, with * or <>) are passed over.
- A docs/….md that a source names must exist.
- A test named in docs/threat-model.md or docs/compliance.md must be one.
"""

import os
import re
import sys

TREES = ('adapters', 'bench', 'certs', 'cli', 'clients', 'cmake', 'docs', 'gateway', 'proto', 'script',
         'tests')
SOURCES = ('.h', '.cc', '.proto', '.py', '.txt', '.cmake', '.sh')
NAMES_TESTS = ('docs/threat-model.md', 'docs/compliance.md')
LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
CODE = re.compile(r'`([^`\n]+)`')
PATH = re.compile(r'(?:%s)(?:/[A-Za-z0-9_.-]+)*/?' % '|'.join(TREES))
PLACEHOLDER = re.compile(r'(?:^|/)[A-Z]{2,}(?:[/_.]|$)')
DOCUMENT = re.compile(r'(?<![\w/.:-])docs/[A-Za-z0-9_./-]+\.md')
TEST = re.compile(r'\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)')
TEST_NAME = re.compile(r'[A-Z]\w+\.[A-Z]\w+')


def walk(root):
    """Paths from the root of the tree's files, sorted; builds and hidden folders left out."""
    for folder, folders, names in os.walk(root):
        at_root = os.path.abspath(folder) == os.path.abspath(root)
        folders[:] = sorted(f for f in folders
                            if not f.startswith('.') and f != 'node_modules'
                            and not (at_root and f.startswith('build')))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def without_blocks(text):
    """The text with what is in fenced blocks blanked out, offsets kept."""
    return re.sub(r'^```.*?^```', lambda m: re.sub(r'[^\n]', ' ', m.group()), text,
                  flags=re.M | re.S)


def anchors(text):
    """As GitHub makes them from headings."""
    found = set()
    for heading in re.findall(r'^#+ (.*)$', without_blocks(text), flags=re.M):
        word = re.sub(r'[^\w\- ]', '', heading.lower()).strip().replace(' ', '-')
        found.add(word)
    return found


def mistakes_of_links(root, path, text):
    for match in LINK.finditer(without_blocks(text)):
        target, _, anchor = match.group(1).partition('#')
        if re.match(r'[a-z]+:', target):
            continue
        full = os.path.normpath(os.path.join(root, os.path.dirname(path), target)) if target \
            else os.path.join(root, path)
        if not os.path.exists(full):
            yield match.start(), f'the link {match.group(1)} leads nowhere'
        elif anchor and full.endswith('.md') and \
                anchor not in anchors(read(root, os.path.relpath(full, root))):
            yield match.start(), f'the link {match.group(1)} leads to no heading'


def mistakes_of_paths(root, text):
    for match in CODE.finditer(without_blocks(text)):
        word = match.group(1).split()[0]
        if '/' not in word or not PATH.fullmatch(word) or PLACEHOLDER.search(word):
            continue
        if not os.path.exists(os.path.join(root, word)):
            yield match.start(), f'there is no {word}'


def tests_of(root):
    found = set()
    for path in walk(root):
        if path.endswith('.cc'):
            found.update('.'.join(match) for match in TEST.findall(read(root, path)))
    return found


def mistakes(root):
    """(path, line, mistake) of the whole tree."""
    for path in walk(root):
        if path.endswith('.md'):
            text = read(root, path)
            found = list(mistakes_of_links(root, path, text)) + list(mistakes_of_paths(root, text))
            if path in NAMES_TESTS:
                known = tests_of(root)
                found += [(match.start(), f'there is no test {match.group(1)}')
                          for match in CODE.finditer(text)
                          if TEST_NAME.fullmatch(match.group(1)) and match.group(1) not in known]
        elif path.endswith(SOURCES) and not path.startswith('script/check_docs'):
            text = read(root, path)
            found = [(match.start(), f'there is no {match.group()}')
                     for match in DOCUMENT.finditer(text)
                     if not os.path.exists(os.path.join(root, match.group()))]
        else:
            continue
        for offset, mistake in sorted(found):
            yield path, line_of(text, offset), mistake


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
    count = 0
    for path, line, mistake in mistakes(root):
        print(f'{path}:{line}: {mistake}')
        count += 1
    return 1 if count else 0


if __name__ == '__main__':
    sys.exit(main())
