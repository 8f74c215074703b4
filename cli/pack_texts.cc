#include "cli/pack_texts.h"

namespace sluice::cli {

const char kPackHead[] = R"html(<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>审计记录证据包 · Evidence from an audit log</title>
<style>
body { font: 15px/1.6 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #111; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 1.6em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #999; padding: .25em .5em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.facts th { width: 16em; font-weight: normal; background: #f2f2f2; }
.records { font-size: .8em; } .hash, pre, code { font-family: monospace; font-size: .85em; }
pre { border: 1px solid #999; padding: .6em; overflow-x: auto; white-space: pre-wrap; }
@page { size: A4 landscape; margin: 15mm; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } thead { display: table-header-group; } tr, pre { break-inside: avoid; } h2 { break-after: avoid; } }
</style>
</head>
<body>
<h1>审计记录证据包 · Evidence from an audit log</h1>
)html";

const char kPackProvesZh[] = R"html(<section lang="zh">
<h2>本证据包证明什么</h2>
<ul>
<li>下表每一条记录，在检查点签署之时，已经以表中序号、以完全相同的字节存在于该日志中。事后改动任何一个字节，核验都会失败。</li>
<li>凡附有明细的记录，明细就是记录写入时所承诺的那一份：明细文件的 SHA-256 等于表中最后一列。</li>
<li>这次查询本身也是日志中的一条记录（表中最后一行），它写明当时查到多少条；本包中的条数与之相符。</li>
</ul>
<h2>不证明什么</h2>
<ul>
<li>不证明记录所述的事实为真：时间取自网关的时钟；案件编号和经办人是使用方自己的陈述。</li>
<li>“released” 指数据被放行，不证明对方已收到；收到与否以使用方的回执为准。</li>
<li>不证明日志中没有其他有关记录：查询由网关执行，范围见上表；明细已销毁的记录无法按案件、经办人或数据主体查到。</li>
)html";

const char kPackSignersZh[] =
    R"html(<li>检查点上另有见证方的签名（见上表）。向见证方索取其公钥并核对后，方可确认各方看到的是同一份日志；本页没有核对这些签名。</li>
</ul>
)html";

const char kPackNoSignersZh[] =
    R"html(<li>不证明日志没有向他人出示过另一个版本：检查点上没有其他见证方的签名。请与他人保存的检查点对照。</li>
</ul>
)html";

const char kPackCheckZh[] = R"html(<h2>如何核验</h2>
<ol>
<li>从本包以外的可靠途径取得 log.vkey，或至少核对上表的书面核对码。一切核验都以这把公钥为准。</li>
<li>用本系统的程序：<code>sluice audit verify 本文件.zip --key log.vkey</code>。它不需要网关，逐字节核对全部内容，包括本页。</li>
<li>或者不用本系统的任何程序：解压后运行 <code>sha256sum -c SHA256SUMS</code>；<code>sha256sum details/序号.bin</code> 应等于表中最后一列；再在解压出的目录中运行下面的 Python 程序，它按公开规范（C2SP tlog-proof、signed-note，RFC 6962）核对签名和每一条记录。</li>
</ol>
</section>
)html";

const char kPackProvesEn[] = R"html(<section lang="en">
<h2>What this proves</h2>
<ul>
<li>Each record of the table stood in that log, at its number and with exactly these bytes, when the checkpoint was signed. Where a byte was changed since, the check fails.</li>
<li>A detail, where there is one, is the one that its record committed to when it was written: the SHA-256 of the detail's file is in the last column.</li>
<li>This reading is a record of the log itself, the last one of the table. It says how many records were found; as many are here.</li>
</ul>
<h2>What it does not prove</h2>
<ul>
<li>That what the records say is true: times are of the gateway's clock; case and end user are the consumer's own words.</li>
<li>"released" means let go. That it was received is for the consumer's receipt to prove.</li>
<li>That the log has no other record of the matter: the gateway searched, as far as the table above says. A record whose detail was erased is not found by case, end user or data subject.</li>
)html";

const char kPackSignersEn[] =
    R"html(<li>The checkpoint has signatures of others (above). With their keys, asked for from them, they show that everybody was given the same log. This page did not check them.</li>
</ul>
)html";

const char kPackNoSignersEn[] =
    R"html(<li>That nobody was given another log: nobody else has signed the checkpoint. Compare it with one that somebody else has kept.</li>
</ul>
)html";

const char kPackCheckEn[] = R"html(<h2>How to check it</h2>
<ol>
<li>Get log.vkey by a way that does not lead through this file, or at least compare its form for paper. All that follows stands on this key.</li>
<li>With our tool: <code>sluice audit verify THIS.zip --key log.vkey</code>. It needs no gateway, and checks every byte, of this page as well.</li>
<li>With nothing of ours: unpack; <code>sha256sum -c SHA256SUMS</code>; <code>sha256sum details/NUMBER.bin</code> gives what the last column says; then run the program below in the folder. It checks the signature and each record by the public specifications (C2SP tlog-proof and signed-note, RFC 6962).</li>
</ol>
</section>
)html";

const char kPackProgram[] = R"html(<h2>check.py</h2>
<p><code>python3 check.py log.vkey</code></p>
<pre id="check.py">
import base64, glob, hashlib, subprocess, sys, tempfile

def sha(*parts): return hashlib.sha256(b''.join(parts)).digest()

name, key_id, key = open(sys.argv[1]).read().strip().split('+', 2)
key = base64.b64decode(key)
assert key[0] == 1 and sha(name.encode(), b'\n', key)[:4].hex() == key_id, 'not a key of a log'
note = open('checkpoint', 'rb').read()
text, signatures = note.decode().rsplit('\n\n', 1)
text += '\n'
signature = next(s for s in (base64.b64decode(line.split(' ')[2]) for line in signatures.splitlines()
                             if line.split(' ')[1] == name) if s[:4].hex() == key_id)[4:]
with tempfile.TemporaryDirectory() as folder:
    for file, data in (('text', text.encode()), ('signature', signature),
                       ('key', bytes.fromhex('302a300506032b6570032100') + key[1:])):
        open(folder + '/' + file, 'wb').write(data)
    subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', folder + '/key',
                    '-rawin', '-in', folder + '/text', '-sigfile', folder + '/signature'],
                   check=True, stdout=subprocess.DEVNULL)
origin, size, root = text.splitlines()[:3]
assert origin == name, 'the checkpoint of another log'
records = glob.glob('records/*.tlog-proof')
for record in records:
    head, _, own = open(record, 'rb').read().partition(b'\n\n')
    first, extra, number, *path = head.decode().split('\n')
    assert first == 'c2sp.org/tlog-proof@v1' and own == note, record
    assert number == 'index ' + record[len('records/'):-len('.tlog-proof')], record
    at, last = int(number.split(' ')[1]), int(size) - 1
    assert at &lt;= last, record
    hash = sha(b'\0', base64.b64decode(extra.split(' ')[1]))
    for sibling in map(base64.b64decode, path):
        assert last &gt; 0, record
        if at &amp; 1 or at == last:
            hash = sha(b'\1', sibling, hash)
            while not at &amp; 1 and at: at &gt;&gt;= 1; last &gt;&gt;= 1
        else:
            hash = sha(b'\1', hash, sibling)
        at &gt;&gt;= 1; last &gt;&gt;= 1
    assert last == 0 and hash == base64.b64decode(root), record
print(len(records), 'records are under the checkpoint of', origin, 'of size', size)
</pre>
)html";

const char kPackTable[] = R"html(<h2>记录 · Records</h2>
<table class="records">
<thead><tr><th>#</th><th>时间 UTC<br>time</th><th>使用方<br>consumer</th><th>数据集<br>dataset</th><th>目的<br>purpose</th><th>法律依据<br>law</th><th>结果<br>outcome</th><th>行数<br>rows</th><th>案件<br>case</th><th>经办人<br>end user</th><th>明细的 SHA-256<br>of the detail</th></tr></thead>
<tbody>
)html";

const char kPackEnd[] = R"html(</tbody>
</table>
</body>
</html>
)html";

}  // namespace sluice::cli
