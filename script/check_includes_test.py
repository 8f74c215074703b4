#!/usr/bin/env python3
"""Tests of check_includes.py, on small trees of their own."""

import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'check_includes.py')


def run(files):
    """Exit code and output of the check on a tree of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
        return done.returncode, done.stdout


class CheckIncludesTest(unittest.TestCase):

    def accepts(self, path, included):
        self.assertEqual(run({path: f'#include {included}\n'}), (0, ''))

    def refuses(self, path, included, why):
        code, output = run({path: f'\n#include {included}\n'})
        self.assertEqual(code, 1)
        self.assertIn(f'{path}:2: ', output)
        self.assertIn(why, output)

    def test_to_the_right_and_in_the_same_room(self):
        self.accepts('gateway/exchange/broker.cc', '"gateway/policy/decide.h"')
        self.accepts('gateway/exchange/broker.cc', '"gateway/exchange/broker.h"')
        self.accepts('gateway/main.cc', '"gateway/rpc/server.h"')
        self.accepts('gateway/store/store.cc', '"adapters/adapter.h"')
        self.accepts('certs/key.cc', '"gateway/base/crypto.h"')

    def test_back_to_the_left(self):
        self.refuses('gateway/policy/decide.cc', '"gateway/exchange/broker.h"',
                     'exchange stands to the left of policy')
        self.refuses('gateway/base/clock.cc', '"certs/key.h"', 'certs stands to the left of base')
        self.refuses('adapters/sqlite/reader.cc', '<gateway/store/store.h>',
                     'store stands to the left of adapters')
        self.refuses('gateway/rpc/server.cc', '"gateway/config.h"', 'main stands to the left of rpc')

    def test_spelling_does_not_hide_it(self):
        code, output = run({'gateway/base/a.h': '  #  include   "gateway/audit/log.h" // why\n'})
        self.assertEqual(code, 1)
        self.assertIn('audit stands to the left of base', output)

    def test_tests_of_a_room_are_in_it(self):
        self.refuses('gateway/policy/decide_test.cc', '"gateway/rpc/server.h"',
                     'rpc stands to the left of policy')

    def test_proto_is_open_to_all(self):
        self.accepts('gateway/base/error.h', '"sluice/v1/reason.pb.h"')

    def test_grpc_in_its_folders_only(self):
        for included in ('<grpcpp/server.h>', '<grpc/grpc.h>', '"sluice/v1/exchange.grpc.pb.h"'):
            for path in ('gateway/rpc/a.cc', 'cli/client/a.cc', 'adapters/remote/a.cc',
                         'tests/system/a.cc', 'bench/a.cc'):
                self.accepts(path, included)
            for path in ('gateway/main.cc', 'gateway/exchange/a.h', 'cli/query.cc'):
                self.refuses(path, included, 'gRPC is seen in')

    def test_tests_and_bench_look_in_and_are_not_looked_at(self):
        self.accepts('tests/system/a_test.cc', '"gateway/rpc/server.h"')
        self.accepts('bench/a.cc', '"gateway/audit/log.h"')
        self.refuses('gateway/main.cc', '"tests/system/server.h"', 'does not look into tests/')
        self.refuses('cli/main.cc', '"bench/load.h"', 'does not look into bench/')

    def test_paths_from_the_root(self):
        code, output = run({'gateway/base/a.cc': '#include "a.h"\n', 'gateway/base/a.h': ''})
        self.assertEqual(code, 1)
        self.assertIn('write the path from the root', output)

    def test_an_unknown_room(self):
        self.refuses('gateway/attic/a.cc', '"gateway/base/clock.h"', 'is in no room')

    def test_the_wrong_folder_is_no_success(self):
        self.assertEqual(run({'README.md': ''})[0], 1)


if __name__ == '__main__':
    unittest.main()
