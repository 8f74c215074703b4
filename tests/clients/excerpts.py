#!/usr/bin/env python3
"""What docs/consumer.md shows of the clients stands so in them: excerpts.py TREE"""

import os
import re
import sys

# The word behind a block's fence: the folder in clients/, and how its files end.
LANGUAGES = {'python': ('python', '.py'), 'js': ('node', '.js'), 'java': ('java', '.java'),
             'go': ('go', '.go')}


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def main(tree):
    blocks = re.findall(r'^```(\w+)\n(.*?)^```$', read(tree, 'docs/consumer.md'), re.M | re.S)
    wrong = 0
    for language, (folder, ending) in LANGUAGES.items():
        folder = os.path.join(tree, 'clients', folder)
        sources = [read(folder, name) for name in os.listdir(folder) if name.endswith(ending)]
        excerpts = [text for word, text in blocks if word == language]
        if not excerpts:
            print(f'docs/consumer.md shows nothing in {language}')
            wrong += 1
        for excerpt in excerpts:
            if not any(excerpt in source for source in sources):
                print(f'docs/consumer.md shows what is not in {folder}:\n{excerpt}')
                wrong += 1
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
