#!/usr/bin/env python3
"""Tests of check_docs.py, on small trees of their own."""

import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'check_docs.py')


def run(files):
    """Exit code and output of the check on a tree of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
        return done.returncode, done.stdout


class CheckDocsTest(unittest.TestCase):

    def accepts(self, files):
        self.assertEqual(run(files), (0, ''))

    def refuses(self, files, place, why):
        code, output = run(files)
        self.assertEqual(code, 1)
        self.assertIn(place + ': ', output)
        self.assertIn(why, output)

    def test_links_lead_to_files_and_headings(self):
        page = '# The log\n\n## When it is refused\n'
        self.accepts({'README.md': '[log](docs/log.md) [there](docs/log.md#when-it-is-refused)',
                      'docs/log.md': page + '[up](../README.md) [here](#the-log) [c](https://c.org)'})
        self.refuses({'README.md': 'a\n[log](docs/log.md)'}, 'README.md:2', 'leads nowhere')
        self.refuses({'README.md': '[log](docs/log.md#gone)', 'docs/log.md': page},
                     'README.md:1', 'leads to no heading')

    def test_what_stands_in_a_block_is_no_link(self):
        self.accepts({'README.md': '```\n[log](gone.md) # no heading\n```\n'})

    def test_paths_in_backticks_exist(self):
        self.accepts({'README.md': '`cli/run.cc`, `cli/`, `cli/run.cc --help`', 'cli/run.cc': ''})
        self.refuses({'README.md': '`cli/gone.cc`', 'cli/run.cc': ''}, 'README.md:1',
                     'there is no cli/gone.cc')

    def test_other_folders_and_placeholders_are_no_paths(self):
        self.accepts({'README.md': '`state/control.db` `adapters/KIND/` `tests/KIND_test.cc` `cli`'})

    def test_documents_that_sources_name_exist(self):
        self.accepts({'cli/run.h': '// (docs/cli.md)', 'docs/cli.md': ''})
        self.refuses({'cli/run.h': '\n// docs/cli.md says'}, 'cli/run.h:2', 'there is no docs/cli.md')

    def test_addresses_are_no_documents(self):
        self.accepts({'cli/run.h': '// https://example.org/docs/cli.md'})

    def test_tests_of_the_threat_model_exist(self):
        tests = 'TEST(Log, IsKept) {}\nTEST_P(\n    Adapter, Ends) {}\n'
        self.accepts({'docs/threat-model.md': '`Log.IsKept`, `Adapter.Ends`', 'a_test.cc': tests})
        self.refuses({'docs/threat-model.md': '`Log.IsLost`', 'a_test.cc': tests},
                     'docs/threat-model.md:1', 'there is no test Log.IsLost')

    def test_builds_are_left_out(self):
        self.accepts({'build-asan/README.md': '[log](gone.md)'})


if __name__ == '__main__':
    unittest.main()
