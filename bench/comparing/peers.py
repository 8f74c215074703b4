"""What the gateway is measured beside: a bare gRPC server, and proxies before it. All of them show
the gateway's own certificate and take the same clients."""

import os
import shutil
import string

from comparing import data, processes


class BareServer:
    """bench_bare_server: `port` with mutual TLS, `plain_port` without."""

    def __init__(self, gateway, media_type):
        self.server = processes.Server(
            'the bare server',
            [processes.tool('bench_bare_server'), '--certificate',
             gateway.path('tls/certificate.pem'), '--key', gateway.path('tls/key.pem'),
             '--authorities', gateway.path('tls/authority.pem'), '--database', data.residents(),
             '--table', 'resident', '--key-column', 'id_no', '--columns',
             'id_no,full_name,born,county,province', '--permits', data.permits(), '--media-type',
             media_type],
            os.path.join(processes.FOLDER, 'bare_server.log'))
        words = self.server.process.stdout.readline().split()
        if words[:1] != ['listening']:
            self.server.stop()
            raise processes.Failed('the bare server does not listen: see ' + self.server.log)
        self.port, self.plain_port = int(words[1]), int(words[2])

    def stop(self):
        self.server.stop()


class _Proxy:
    """A proxy with its configuration and files in a folder of its own."""

    def __init__(self, name, template, gateway, origin_port):
        self.folder = os.path.join(processes.FOLDER, name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.port = processes.free_port()
        with open(os.path.join(processes.ROOT, 'bench', 'peers', template),
                  encoding='utf-8') as file:
            text = string.Template(file.read())
        # HAProxy wants certificate and key in one file.
        pair = os.path.join(self.folder, 'pair.pem')
        with open(os.open(pair, os.O_WRONLY | os.O_CREAT, 0o600), 'w', encoding='ascii') as file:
            for part in ('tls/certificate.pem', 'tls/key.pem'):
                with open(gateway.path(part), encoding='ascii') as pem:
                    file.write(pem.read())
        self.configuration = os.path.join(self.folder, template)
        with open(self.configuration, 'w', encoding='utf-8') as file:
            file.write(text.safe_substitute(
                folder=self.folder, port=self.port, origin_port=origin_port, pair=pair,
                certificate=gateway.path('tls/certificate.pem'), key=gateway.path('tls/key.pem'),
                authority=gateway.path('tls/authority.pem'),
                revocation=gateway.path('tls/revocation.pem'),
                # Where root starts it, workers would be another user, who may not read the folder.
                user='user root;' if os.geteuid() == 0 else ''))

    def _start(self, name, command):
        self.server = processes.Server(name, command, os.path.join(self.folder, 'error.log'),
                                       output=os.path.join(self.folder, 'access.log'))
        try:
            self.server.await_port(self.port)
        except processes.Failed:
            self.stop()
            raise

    def stop(self):
        self.server.stop()


class Nginx(_Proxy):
    def __init__(self, gateway, origin_port):
        super().__init__('nginx', 'nginx.conf', gateway, origin_port)
        self._start('nginx', [processes.installed('nginx'), '-p', self.folder, '-c',
                              self.configuration, '-e', os.path.join(self.folder, 'error.log')])


class Haproxy(_Proxy):
    def __init__(self, gateway, origin_port):
        super().__init__('haproxy', 'haproxy.cfg', gateway, origin_port)
        self._start('HAProxy', [processes.installed('haproxy'), '-db', '-f', self.configuration])
