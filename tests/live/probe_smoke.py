#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The probe alone, against what the kernel really does.

Runs small actions in processes called probe-smoke and looks for a record that says what the
language wants it to say (values as in spec: `fd.name`, converted flags, ...). Needs root.

    probe_smoke.py [-v] [PROGRAM FILTER.bpf.o PROBE.bpf.o...]

Without arguments: what `make` has built.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

from lib import ROOT, scratch, why_not_live
from objects import bpf_objects

HERE = os.path.dirname(os.path.abspath(__file__))
ABSENT, UNKNOWN, CUT = 'absent', 'unknown', 'cut'
PRELUDE = '''
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
T = sys.argv[1]
'''



SIZES = (248, 249, 936, 937, 1960, 1961, 4008, 4009, 4096)


def texts():
    """Programs whose arguments and environment have so many bytes each."""
    code = (f'for n in {SIZES}:\n name = "t%d" % n\n'
            ' os.spawnve(0, "/bin/true", [name, "y" * (n - len(name) - 2)], {"A": "y" * (n - 3)})')
    return [(f'arguments and environment of {size} bytes', None if i else code, 'execve',
             {'EXE': f't{size}'}, {'ARGS': 'y' * (size - len(f't{size}') - 2), 'CMD_NARGS': '1',
                                   'ENV_RAW': 'A=' + 'y' * (size - 3)})
            for i, size in enumerate(SIZES)]


def inherited(size):
    """Both over a fork, and given up by the child's own program."""
    code = ('import os; p = os.fork()\nif p: os.wait()\n'
            f'else: os.mkdir("f{size}"); os.execve("/bin/true", ["after{size}", "z"], dict(B="c"))')
    many = 'y' * size
    return [(f'texts of {size} bytes over a fork',
             f'os.chdir(T); os.spawnve(os.P_WAIT, T + "/probe-smoke", [T + "/probe-smoke", "-c", '
             f'{code!r}, {many!r}], {{"A": {many!r}}})', 'mkdir', {'A0': f'f{size}'},
             {'ARGS': re.compile(f'-c import .* {many}$'), 'ENV_RAW': 'A=' + many}),
            (f'texts of {size} bytes, then others', None, 'execve', {'EXE': f'after{size}'},
             {'ARGS': 'z', 'ENV_RAW': 'B=c', 'PCMDLINE': re.compile(f'probe-smoke -c .* {many}$')})]


# name, Python code of the action ({T}: its directory), event, selectors and expected slots.
CASES = [
    ('open absolute', 'os.open("/etc/hostname", os.O_RDONLY)', 'openat',
     {'A0': '/etc/hostname'},
     {'FD_NAME': '/etc/hostname', 'FD_DIR': '/etc', 'FD_FILE': 'hostname', 'readings': '1',
      'FD_RAW': '/etc/hostname', 'P3': str(0x1001), 'P1': '-100', 'OPEN_READ': '1',
      'OPEN_WRITE': '0', 'FD_TYPE': '16', 'base': '', 'spell': '', 'NAME': 'probe-smoke'}),
    ('open relative', 'os.chdir("/etc"); os.open("./../etc//hostname", os.O_RDONLY)', 'openat',
     {'A0': './../etc//hostname'},
     {'FD_NAME': '/etc/hostname', 'readings': '1', 'base': '/etc', 'CWD': '/etc/',
      'FD_RAW': './../etc/hostname'}),
    ('open relative to a descriptor',
     'd = os.open("/usr", os.O_DIRECTORY); os.open("bin/../bin/ls", os.O_RDONLY, dir_fd=d)',
     'openat', {'A0': 'bin/../bin/ls'},
     {'FD_NAME': '/usr/bin/ls', 'readings': '1', 'base': '/usr'}),
    ('open directory', 'os.open("/usr/bin", os.O_DIRECTORY)', 'openat', {'A0': '/usr/bin'},
     {'FD_NAME': '/usr/bin', 'FD_DIR': '/usr/bin', 'FD_FILE': ABSENT, 'FD_TYPE': '2',
      'P3': str(0x3401), 'OPEN_CREATE': '1'}),
    ('open through a link', 'os.symlink("/etc/shadow", T + "/l"); os.open(T + "/l", 0)', 'openat',
     {'A0': '{T}/l'}, {'FD_NAME': '/etc/shadow', 'readings': '3', 'spell': '{T}/l', 'rule': '3',
                       'FD_DIR': '/etc', 'FD_FILE': 'shadow'}),
    ('only the spelling passes',
     'n = "/etc/../tmp/" + "x" * (30 - 4); open(n, "w"); p = "/tmp/" + "x" * 26\n'
     'os.symlink(p, T + "/long"); os.open(T + "/long", 0); os.unlink(p)', 'openat',
     {'A0': '{T}/long'}, {'readings': '3', 'reading': '1', 'spell': '{T}/long',
                          'FD_NAME': '/tmp/' + 'x' * 26}),
    ('open failed', 'os.chdir(T)\ntry: os.open("no/../no//file/", os.O_WRONLY)\n'
     'except OSError: pass', 'openat', {'A0': 'no/../no//file/'},
     {'RES': '-2', 'FD_NUM': '-1', 'FD_NAME': '{T}/no/file', 'FD_TYPE': '16', 'FD_RAW': ABSENT,
      'FD_DIR': '{T}/no', 'FD_FILE': ABSENT, 'readings': '1', 'FD_INO': ABSENT}),
    ('open(2) failed', 'libc.open.restype = int\nlibc.syscall(2, b"/no//file", 0)', 'open',
     {'A0': '/no//file'}, {'RES': '-2', 'FD_NAME': '/no//file', 'FD_TYPE': '0'}),
    ('create', 'os.open(T + "/new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o4755)', 'openat',
     {'A0': '{T}/new'}, {'P3': str(0x4000 | 0x1000 | 0x20 | 4 | 3), 'P4': str(0o4755),
                         'OPEN_CREATE': '1', 'OPEN_WRITE': '1', 'OPEN_EXEC': '1'}),
    ('creat', 'libc.creat((T + "/cr").encode(), 0o644)', 'creat', {'A0': '{T}/cr'},
     {'P2': str(0o644), 'FD_NAME': '{T}/cr', 'OPEN_WRITE': '0', 'OPEN_EXEC': '0'}),
    ('openat2', 'import struct; h = struct.pack("QQQ", 0o102, 0o600, 8)\n'
     'os.chdir(T)\nlibc.syscall(437, -100, b"o2", h, 24)', 'openat2', {'A0': 'o2'},
     {'FD_NAME': '{T}/o2', 'P3': str(0x4000 | 4 | 3), 'P4': str(0o600), 'P5': '1'}),
    ('deleted file', 'f = os.open(T + "/gone", os.O_CREAT | os.O_WRONLY); os.unlink(T + "/gone")\n'
     'os.fchmod(f, 0o4111)', 'fchmod', {}, {'FD_NAME': '{T}/gone', 'P2': str(0o4111)}),
    ('chmod', 'open(T + "/m", "w"); os.chdir(T); os.chmod("m", 0o4755)', 'chmod', {'A0': 'm'},
     {'P2': str(0o4755), 'FD_NAME': ABSENT, 'FD_NUM': ABSENT, 'base': '{T}'}),
    ('unlinkat', 'open(T + "/u", "w"); libc.unlinkat(-100, (T + "/u").encode(), 0)', 'unlinkat',
     {'A0': '{T}/u'}, {'FD_NAME': '', 'FD_NUM': '-100', 'P3': '0', 'P1': '-100'}),
    ('unlinkat with a descriptor', 'os.mkdir(T + "/d"); d = os.open(T, os.O_DIRECTORY)\n'
     'os.rmdir("d", dir_fd=d)', 'unlinkat', {'A0': 'd'},
     {'FD_NAME': '{T}', 'P3': str(0x200), 'base': '{T}'}),
    ('renameat', 'open(T + "/ra", "w"); d = os.open(T, os.O_DIRECTORY)\n'
     'os.rename("ra", T + "/rb", src_dir_fd=d)', 'renameat', {'A0': 'ra'},
     {'A1': '{T}/rb', 'P3': '-100', 'base': '{T}'}),
    ('symlink', 'os.symlink("some/where", T + "/sl")', 'symlink', {'A0': 'some/where'},
     {'A1': '{T}/sl', 'base': ''}),
    ('mkdir', 'os.mkdir(T + "/md", 0o700)', 'mkdir', {'A0': '{T}/md'}, {'P2': str(0o700)}),
    ('socket', 'socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)', 'socket', {'P1': '17'},
     {'P2': '524291', 'P3': '768', 'P4': str(0x1000), 'FD_TYPE': '0', 'FD_NAME': '',
      'L4PROTO': '0', 'CPORT': ABSENT}),
    ('connect', 's = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(5)\n'
     'c = socket.socket()\n'
     'c.setsockopt(1, 2, 1); c.bind(("127.0.0.1", 40321)); c.connect(s.getsockname())\n'
     'a, _ = s.accept(); os.dup2(a.fileno(), 77); os.dup2(c.fileno(), 78)', 'connect', {},
     {'L4PROTO': '2', 'SOCKFAMILY': '1', 'CPORT': '40321', 'CIP': '\\x7f\\x00\\x00\\x01',
      'SIP': '\\x7f\\x00\\x00\\x01', 'CONNECTED': '1', 'SOCK_SERVER': '0', 'FD_TYPE': '3',
      'FD_NAME': UNKNOWN}),
    ('accept', None, 'accept4', {}, {'CPORT': '40321', 'SOCK_SERVER': '1', 'P4': '5', 'P3': '0'}),
    ('listen', None, 'listen', {}, {'CPORT': ABSENT, 'SOCK_SERVER': '1', 'P2': '5'}),
    ('dup2 of an accepted socket', None, 'dup2', {'RES': '77'},
     {'FD_NUM': '77', 'CPORT': '40321', 'SOCK_SERVER': '1'}),
    ('dup2 of a connected socket', None, 'dup2', {'RES': '78'},
     {'CPORT': '40321', 'SOCK_SERVER': '0'}),
    ('connect refused', 'c = socket.socket()\ntry: c.connect(("127.0.0.1", 1))\n'
     'except OSError: pass', 'connect', {'RES': '-111'},
     {'CPORT': ABSENT, 'SIP': ABSENT, 'L4PROTO': '0', 'SOCKFAMILY': '1'}),
    ('UDP over IPv6', 'c = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n'
     'c.sendto(b"x", ("::1", 5353))', 'sendto', {},
     {'L4PROTO': '3', 'SPORT': '5353', 'SIP': '\\x00' * 15 + '\\x01', 'FD_TYPE': '4'}),
    ('unix socket', 's = socket.socket(socket.AF_UNIX); s.bind(T + "/sock"); s.listen(1)\n'
     'c = socket.socket(socket.AF_UNIX); c.connect(T + "/sock")', 'connect', {'SOCKFAMILY': '2'},
     {'FD_TYPE': '8', 'CIP': ABSENT,
      'FD_NAME': re.compile('ffff[0-9a-f]{12}->ffff[0-9a-f]{12} /var/tmp/.*/sock$')}),
    ('unix socket, bound', None, 'listen', {'SOCKFAMILY': '2'}, {'FD_NAME': '{T}/sock'}),
    ('unix socket, abstract', 's = socket.socket(socket.AF_UNIX); s.bind(b"\\0abs"); s.listen(1)',
     'listen', {}, {'FD_NAME': '@abs'}),
    ('UDP server', 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n'
     's.bind(("127.0.0.1", 45454)); s.sendto(b"x", ("127.0.0.1", 9))', 'sendto', {},
     {'SOCK_SERVER': '1', 'SPORT': '45454', 'CPORT': '9'}),
    ('pipe', 'r, w = os.pipe(); os.dup2(r, 90)', 'dup2', {'RES': '90'},
     {'FD_TYPE': '7', 'FD_NAME': '', 'FD_DIR': ABSENT}),
    ('memfd', 'os.memfd_create("some name")', 'memfd_create', {},
     {'FD_NAME': 'some name', 'FD_TYPE': '20', 'A0': 'some name', 'P2': '1'}),
    ('eventfd', 'f = libc.eventfd(0, 0); os.dup2(f, 91)', 'dup2', {'RES': '91'},
     {'FD_TYPE': '9', 'FD_NAME': ''}),
    ('exec', 'os.spawnv(os.P_WAIT, "/bin/true", ["true", "a b", "", "c"])', 'execve',
     {'NAME': 'true'}, {'RES': '0', 'EXE': 'true', 'ARGS': 'a b  c', 'CMDLINE': 'true a b  c',
                        'CMD_NARGS': '3', 'PNAME': 'probe-smoke', 'EXEPATH': '/usr/bin/true',
                        'A0': '/bin/true', 'EXE_FLAGS': '1', 'PEXE': '{T}/probe-smoke',
                        'PEXEPATH': sys.executable and '/usr/bin/' + os.path.basename(
                            os.path.realpath('/usr/bin/python3')),
                        'PCMDLINE': re.compile('probe-smoke -c '), 'FD_NAME': ABSENT,
                        'X1': re.compile('/.*python'), 'anc': re.compile('probe-smoke,python')}),
    ('exec without arguments', 'os.spawnv(os.P_WAIT, "/bin/true", ["true"])', 'execve',
     {'CMDLINE': 'true'}, {'ARGS': '', 'CMD_NARGS': '0', 'EXE': 'true'}),
    ('script', 'open(T + "/s.sh", "w").write("#!/bin/sh -e\\n"); os.chmod(T + "/s.sh", 0o755)\n'
     'os.spawnv(os.P_WAIT, T + "/s.sh", ["zero", "one"])', 'execve', {'NAME': 's.sh'},
     {'EXE': '/bin/sh', 'ARGS': '-e {T}/s.sh one', 'CMDLINE': 's.sh -e {T}/s.sh one',
      'EXEPATH': re.compile('/usr/bin/(da)?sh'), 'A0': '{T}/s.sh'}),
    ('exec failed', 'os.posix_spawn\ntry: os.execv("/no/such", ["such"])\nexcept OSError: pass',
     'execve', {'RES': '-2'}, {'A0': '/no/such', 'NAME': 'probe-smoke', 'EXE_FLAGS': '1',
                               'EXE': '{T}/probe-smoke'}),
    ('memfd exec', 'f = os.memfd_create("hid", 0); os.write(f, open("/bin/true", "rb").read())\n'
     'os.spawnv(os.P_WAIT, "/proc/self/fd/%d" % f, ["hidden"])', 'execve', {'EXE': 'hidden'},
     {'EXEPATH': 'memfd:hid', 'EXE_FLAGS': '5', 'EXE_MEMFD': '1'}),
    ('environment', 'os.spawnve(os.P_WAIT, "/bin/true", ["envy"], {"A": "b c", "D": ""})', 'execve',
     {'EXE': 'envy'}, {'ENV': 'A=b c D=', 'ENV_RAW': 'A=b c\\x00D='}),
    ('environment, none', 'os.spawnve(os.P_WAIT, "/bin/true", ["envn"], {})', 'execve',
     {'EXE': 'envn'}, {'ENV': '', 'ENV_RAW': ''}),
    ('environment, too long', 'os.spawnve(os.P_WAIT, "/bin/true", ["envl"], {"A": "y" * 4094})',
     'execve', {'EXE': 'envl'}, {'ENV': CUT, 'ENV_RAW': CUT}),
    ('environment, as long as can be',
     'os.spawnve(os.P_WAIT, "/bin/true", ["envm"], {"A": "y" * 4093})', 'execve',
     {'EXE': 'envm'}, {'ENV': 'A=' + 'y' * 4093}),
    ('environment over a fork', 'e = {"A": "b c"}\nos.spawnve(os.P_WAIT, T + "/probe-smoke", '
     '[T + "/probe-smoke", "-c", "import os; p = os.fork()\\nif p: os.wait()\\n'
     'else: os.mkdir(%r)" % (T + "/fe")], e)', 'mkdir',
     {'A0': '{T}/fe'}, {'ENV_RAW': 'A=b c'}),
    *texts(),
    *[case for size in (10, 300, 1000, 2500, 3880) for case in inherited(size)],
    ('data of a write', 'f = os.open(T + "/w", os.O_CREAT | os.O_WRONLY)\n'
     'os.pwrite(f, b"a\\0" * 60, 0)', 'pwrite', {'RES': '120'}, {'DATA': 'a\\x00' * 40}),
    ('data of a failed write', 'libc.pwrite(-1, b"lost", 4, 0)', 'pwrite', {'RES': '-9'},
     {'DATA': 'lost'}),
    ('data of a read', 'os.pread(os.open("/etc/hostname", 0), 2, 1 << 40)\n'
     'os.pread(os.open("/proc/version", 0), 5, 0)', 'pread', {'RES': '5'}, {'DATA': 'Linux'}),
    ('data of a read at the end', None, 'pread', {'RES': '0'}, {'DATA': ''}),
    ('long arguments', 'os.spawnv(os.P_WAIT, "/bin/true", ["long"] + ["y" * 99] * 60)', 'execve',
     {'EXE': 'long'}, {'ARGS': CUT, 'CMD_NARGS': UNKNOWN}),
    ('fork', 'p = os.fork()\nif p == 0: os._exit(0)\nos.waitpid(p, 0)', 'clone', {'RES': '0'},
     {'PNAME': 'probe-smoke', 'NAME': 'probe-smoke', 'P7': str(0x1800000)}),
    ('prctl changes nothing', 'libc.prctl(15, b"other", 0, 0, 0); os.mkdir(T + "/pr")', 'mkdir',
     {'A0': '{T}/pr'}, {'NAME': 'probe-smoke'}),
    ('prctl', None, 'prctl', {'P1': '15'}, {'A0': 'other', 'P3': '0'}),
    ('setuid', 'os.setgid(7); os.setuid(1234); os.getpgid(0)', 'setuid', {'P1': '1234'},
     {'UID': '1234', 'GID': '7', 'CAP_EFFECTIVE': '0'}),
    ('setsid', 'p = os.fork()\nif p == 0:\n os.setsid(); os.mkdir(T + "/ss"); os._exit(0)\n'
     'os.waitpid(p, 0)', 'mkdir', {'A0': '{T}/ss'}, {'SNAME': 'probe-smoke'}),
    ('chroot', 'os.mkdir(T + "/root"); open(T + "/root/f", "w"); os.chroot(T + "/root")\n'
     'os.chdir("/"); os.open("f", 0)', 'openat', {'A0': 'f'},
     {'FD_NAME': '/f', 'CWD': '/', 'base': '/', 'readings': '1'}),
    ('outside the root', 'd = os.open("/etc", os.O_DIRECTORY); os.mkdir(T + "/r2")\n'
     'os.chroot(T + "/r2"); os.open("hostname", 0, dir_fd=d)', 'openat', {'A0': 'hostname'},
     {'FD_NAME': '/etc/hostname'}),
    ('mount namespace', 'libc.unshare(0x20000); libc.mount(b"none", b"/", None, 0x44000, None)\n'
     'libc.mount(b"/etc", b"/mnt", b"x", 4096, None); os.open("/mnt/hostname", 0)', 'openat',
     {'A0': '/mnt/hostname'},
     {'FD_NAME': '/mnt/hostname', 'readings': '5', 'stored': '/etc/hostname', 'spell': ''}),
    ('mount', None, 'mount', {'A1': '/mnt'}, {'A0': '/etc', 'P4': '4096', 'A2': 'x'}),
    ('mount without a type', None, 'mount', {'A1': '/'}, {'A2': '<NA>', 'A0': 'none'}),
    ('unshare', None, 'unshare', {}, {'P1': '32'}),
    ('ptrace', 'libc.ptrace(0, 0, 0, 0)', 'ptrace', {}, {'P3': '1'}),
    ('mprotect', 'import mmap; libc.mprotect(0, 4096, 7)', 'mprotect', {'P1': '0'},
     {'P3': '7', 'P2': '4096'}),
    ('kill', 'os.kill(os.getpid(), 0)', 'kill', {}, {'P2': '0'}),
    ('bpf', 'libc.syscall(321, 5, 0, 0)', 'bpf', {}, {'P1': '5', 'FD_NUM': '-1'}),
    ('unreadable path', 'libc.syscall(87, 8)', 'unlink', {}, {'A0': UNKNOWN, 'RES': '-14'}),
    ('session without its leader', 'p = os.fork()\nif p == 0:\n os.setsid(); q = os.fork()\n'
     ' if q: os._exit(0)\n time.sleep(.2); os.mkdir(T + "/orphan"); os._exit(0)\n'
     'os.waitpid(p, 0); time.sleep(.4)', 'mkdir', {'A0': '{T}/orphan'}, {'SNAME': ''}),
]

CGROUPS = [  # path below the cpuset hierarchy, id
    ('docker/' + 'a1' * 32, 'a1' * 6),
    ('kube.slice/cri-containerd-' + 'b2' * 32 + '.scope', 'b2' * 6),
    ('machine.slice/libpod-' + 'c3' * 32 + '.scope/container', 'c3' * 6),
    ('machine.slice/crio-' + 'd4' * 32, 'd4' * 6),
    ('machine.slice/docker-' + 'e5' * 32, None),
    ('system.slice/docker-' + 'f6' * 32 + '.scope', 'f6' * 6),
    ('system.slice/docker-' + 'f7' * 32 + '.scope/init.scope', None),
    ('system.slice/x.slice:cri-containerd:' + '17' * 32, '17' * 6),
    ('lxc.payload.some-name', 'some-name'),
    ('lxc.payload/other', 'other'),
    ('docker/' + 'g1' * 32, 'g1' * 6),  # containerd's own form: /NAMESPACE/ID
    ('system.slice/some.service', None),
    ('a/b/c', None),
]


def events():
    """Number -> name, in the order of the catalog."""
    path = os.path.join(HERE, '../../grammar/events.def')
    names = re.findall(r'^EVENT\((\w+),', open(path).read(), re.M)
    return dict((str(i + 1), n) for i, n in enumerate(names))


# The hooks that pass.bpf.c has a filter for.
HOOKS = ('hook_exec.bpf.o', 'hook_fork.bpf.o', 'hook_sys_exit.bpf.o')


def built():
    """What `make` puts where."""
    return [os.path.join(ROOT, 'build/release/tests/live/probe_smoke'),
            os.path.join(ROOT, 'build/bpf/tests/pass.bpf.o'),
            *[path for path in bpf_objects()
              if not os.path.basename(path).startswith('hook_')
              or os.path.basename(path) in HOOKS]]


class Probe:
    def __init__(self, argv):
        # A file and not a pipe: nobody reads while the actions run.
        self.out = tempfile.TemporaryFile('a+', errors='replace')
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=self.out, text=True)
        self.names = events()
        while not self.text().startswith('READY 0\n'):
            if self.p.poll() is not None:
                sys.exit('probe_smoke: %r' % self.text())
            time.sleep(0.05)

    def text(self):
        self.out.seek(0)
        return self.out.read()

    def finish(self):
        self.p.communicate('\n')
        return self.text()

    def records(self, text):
        for block in text.split('\n\n'):
            rec = {}
            for line in block.splitlines():
                key, _, value = line.partition('=')
                name, _, state = key.partition('/')
                rec[name] = {'2': ABSENT, '3': UNKNOWN, '4': CUT}.get(state, value)
            if 'event' in rec:
                rec['event'] = self.names[rec['event']]
                yield rec


def fits(rec, want, tmp):
    """The slots of `want` that `rec` says otherwise."""
    bad = []
    for key, value in want.items():
        got = rec.get(key)
        if isinstance(value, re.Pattern):
            ok = got is not None and value.match(got)
        else:
            value = value.replace('{T}', tmp)
            ok = got == value
        if not ok:
            bad.append('%s: %r, not %r' % (key, got, value))
    return bad


def judge(name, recs, event, select, want, tmp):
    mine = [r for r in recs if r['event'] == event and not fits(r, select, tmp)]
    bads = [fits(r, want, tmp) for r in mine]
    if mine and not min(bads, key=len):
        return 0
    print('FAIL %s: %s' % (name, '; '.join(min(bads, key=len)) if mine else 'no record'))
    return 1


def run_cases(exe, tmp):
    """Each action in a directory of its own, so that records can be told apart."""
    dirs = []
    for n, (_, code, _, _, _) in enumerate(CASES):
        if code:
            dirs.append('%s/%d' % (tmp, n))
            os.mkdir(dirs[-1])
            os.symlink('/usr/bin/python3', dirs[-1] + '/probe-smoke')
            subprocess.run([dirs[-1] + '/probe-smoke', '-c', PRELUDE + code, dirs[-1]])
        else:
            dirs.append(dirs[-1])
    return dirs


# Into a group and back again, each time with a new program.
MOVES = '''
import os
lines = [line.strip().split(":", 2) for line in open("/proc/self/cgroup")]
own = next(path for _, names, path in lines if "cpu" in names.split(","))
open(%r, "w").write("0")
os.spawnv(os.P_WAIT, "/bin/true", ["cg%d"])
open(%r + own + "/cgroup.procs", "w").write("0")
os.spawnv(os.P_WAIT, "/bin/true", ["back%d"])
'''


def run_cgroups(exe):
    base = '/sys/fs/cgroup/cpu/'
    for n, (path, _) in enumerate(CGROUPS):
        here = base + path
        try:
            os.makedirs(here)
            code = MOVES % (here + '/cgroup.procs', n, base, n)
            subprocess.run([exe, '-c', code])
        finally:
            remove_groups(base, path)


def remove_groups(base, path):
    """A group that was made, and those above it that nobody else needs."""
    parts = path.split('/')
    while parts and os.path.isdir(base + '/'.join(parts)):
        try:
            os.rmdir(base + '/'.join(parts))
        except OSError:
            break
        parts.pop()


def check_cgroups(recs, own):
    bad = 0
    for n, (path, cid) in enumerate(CGROUPS):
        bad += judge('cgroup ' + path, recs, 'execve', {'EXE': 'cg%d' % n},
                     {'CONTAINER_ID': cid or own}, '')
        bad += judge('back from ' + path, recs, 'execve', {'EXE': 'back%d' % n},
                     {'CONTAINER_ID': own}, '')
    return bad


def check_counts(out):
    n = dict(re.findall(r'^(seen|filtered|limited|sent|lost)=(\d+)$', out, re.M))
    if len(n) == 5 and 2 * int(n['seen']) == sum(map(int, n.values())):
        return 0
    print('FAIL counters: %s' % n)
    return 1


def main(argv):
    reason = why_not_live()
    if reason:
        print('SKIP the probe alone: %s\n0 passed, 0 failed, %d skipped' % (reason, len(CASES)))
        return 0
    verbose = argv[:1] == ['-v']
    with scratch('ps', parent='/var/tmp') as tmp:
        probe = Probe(argv[verbose:] or built())
        exe = tmp + '/probe-smoke'
        os.symlink('/usr/bin/python3', exe)
        dirs = run_cases(exe, tmp)
        run_cgroups(exe)
        out = probe.finish()
    if verbose:
        print(out)
    recs = list(probe.records(out))
    bad = check_counts(out)
    for (name, _, event, select, want), d in zip(CASES, dirs):
        near = [r for r in recs if d + '/probe-smoke' in (r.get('EXE'), r.get('PEXE'))]
        bad += judge(name, near, event, select, want, d)
    own = [r['CONTAINER_ID'] for r in recs if r['EXE'] == dirs[0] + '/probe-smoke'][0]
    bad += check_cgroups(recs, own)
    print('%d passed, %d failed' % (len(CASES) + 2 * len(CGROUPS) + 1 - bad, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
