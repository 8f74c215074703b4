"""Programs that are run to their end, and servers that run until they are told to end."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, 'build', 'bin')
# All that is made for measuring; may be removed at any time when nothing runs.
FOLDER = os.path.join(ROOT, 'build', 'bench-run')

# Debian's own: that one has the packages that are installed, whatever the PATH says.
PYTHON = '/usr/bin/python3'


class Failed(Exception):
    """Something that was needed did not work; its text says what."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, **more):
    """Output of a command that has to succeed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=False, **more)
    if done.returncode != 0:
        why = f': {done.stderr.strip()}' if done.stderr else ''
        raise Failed(f'{" ".join(command)}: exit code {done.returncode}{why}')
    return done.stdout


def json_of(*command):
    """What a program that prints one JSON object prints."""
    return json.loads(run(*command, stderr=subprocess.PIPE))


def tool(name):
    """A program of the build."""
    return os.path.join(BIN, name)


def installed(name):
    """A program of the system; servers stand where an ordinary user's PATH does not look."""
    path = shutil.which(name, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    if path is None:
        raise Failed(f'there is no {name}; bench/install installs it, or: apt-get install {name}')
    return path


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def need_space(size):
    """Fails where so many bytes are not free, with a gigabyte left over."""
    free = shutil.disk_usage(FOLDER).free
    if free < size + 2**30:
        raise Failed(f'{FOLDER} has {free / 2**30:.1f} GiB free; '
                     f'{size / 2**30 + 1:.1f} GiB are needed')


class Server:
    """A server with a log file of its own. Ended by its pid, in `stop`."""

    def __init__(self, name, command, log, output=None):
        """`output`: a file for standard output; None where the caller reads it."""
        self.name = name
        self.log = log
        with open(log, 'w', encoding='utf-8') as errors:
            if output is None:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                                                stdout=subprocess.PIPE, stderr=errors)
            else:
                with open(output, 'w', encoding='utf-8') as file:
                    self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                                    stdout=file, stderr=errors)

    @property
    def pid(self):
        return self.process.pid

    def await_that(self, serves, seconds=60):
        """Until `serves` says so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            if serves():
                return
            time.sleep(0.1)
        with open(self.log, encoding='utf-8', errors='replace') as log:
            raise Failed(f'{self.name} does not serve: ' + ''.join(log.readlines()[-3:]).strip())

    def await_port(self, port):
        def accepts():
            with socket.socket() as client:
                return client.connect_ex(('127.0.0.1', port)) == 0
        self.await_that(accepts)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def memory(self, name):
        """Bytes, of a line of /proc/PID/status: VmRSS now, VmHWM at its highest."""
        with open(f'/proc/{self.pid}/status', encoding='ascii') as status:
            for line in status:
                if line.startswith(name + ':'):
                    return int(line.split()[1]) * 1024
        raise Failed(f'/proc/{self.pid}/status has no {name}')

    def forget_peak(self):
        """VmHWM begins anew at VmRSS (proc(5), clear_refs)."""
        with open(f'/proc/{self.pid}/clear_refs', 'w', encoding='ascii') as file:
            file.write('5')
