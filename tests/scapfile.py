# SPDX-License-Identifier: Apache-2.0
"""Writes scap files, byte by byte, from the calls that they tell of.

A call is a name and its parameters by name. Each is written in one of three versions of the format:
`old` as in 2016 (events at start and end, no counts of parameters), `2022` as sysdig 0.29 writes
them, `latest` as Falco 0.44 does (events at the end alone, all parameters in them).

TABLE is what the tests know of the format. It is written down here on its own, and not taken from
grammar/scap.def, which it is there to test.
"""
import gzip
import struct

# Types of parameters: numbers of struct, s a text, b bytes, t both ends of a socket, a one end, d a
# number with a byte that says its kind, f what poll was asked about.
EXEC8 = 'res:q exe:s args:b tid:q pid:q ptid:q cwd:s fdlimit:q'
MEMORY = ' pgft_maj:Q pgft_min:Q vm_size:I vm_rss:I vm_swap:I'
EXEC17 = EXEC8 + MEMORY + ' comm:s cgroups:b env:b tty:i'
CLONE20 = EXEC8 + MEMORY + ' comm:s cgroups:b flags:I uid:I gid:I vtid:q vpid:q'
# name: number of its start, parameters of the start, of the end, and those that the latest have
# at the end (None: of the end, then those of the start that are not there already).
TABLE = {
    'generic': (0, 'ID:H nativeID:H', 'ID:H', None),
    'open': (2, '', 'fd:q name:s flags:I mode:I dev:I',
             'fd:q name:s flags:I mode:I dev:I ino:Q'),
    'close': (4, 'fd:q', 'res:q', None),
    'read': (6, 'fd:q size:I', 'res:q data:b', None),
    'write': (8, 'fd:q size:I', 'res:q data:b', None),
    'procexit': (186, 'status:q ret:q sig:B core:B', None,
                 'status:q ret:q sig:B core:B reaper_tid:q'),
    'socket': (18, 'domain:I type:I proto:I', 'fd:q', 'fd:q domain:I type:I proto:I flags:I'),
    'bind': (20, 'fd:q', 'res:q addr:a', None),
    'connect': (22, 'fd:q', 'res:q tuple:t', 'res:q tuple:t fd:q addr:a'),
    'listen': (24, 'fd:q backlog:I', 'res:q', None),
    'accept': (246, '', 'fd:q tuple:t queuepct:B queuelen:I queuemax:I', None),
    'sendto': (30, 'fd:q size:I tuple:t', 'res:q data:b', None),
    'recvfrom': (34, 'fd:q size:I', 'res:q data:b tuple:t', None),
    'shutdown': (36, 'fd:q how:B', 'res:q', None),
    'socketpair': (42, 'domain:I type:I proto:I', 'res:q fd1:q fd2:q source:Q peer:Q', None),
    'sendmsg': (48, 'fd:q size:I tuple:t', 'res:q data:b', None),
    'recvmsg': (52, 'fd:q', 'res:q size:I data:b tuple:t',
                'res:q size:I data:b tuple:t msgcontrol:b fd:q'),
    'creat': (58, 'name:s mode:I', 'fd:q name:s mode:I dev:I',
              'fd:q name:s mode:I dev:I ino:Q creat_flags:H'),
    'pipe': (60, '', 'res:q fd1:q fd2:q ino:Q', None),
    'eventfd': (62, 'initval:Q flags:I', 'res:q', None),
    'poll': (80, 'fds:f timeout:q', 'res:q fds:f', None),
    'lseek': (86, 'fd:q offset:Q whence:B', 'res:q', None),
    'getcwd': (92, '', 'res:q path:s', None),
    'chdir': (94, '', 'res:q path:s', None),
    'fchdir': (96, 'fd:q', 'res:q', None),
    'pread': (112, 'fd:q size:I pos:Q', 'res:q data:b', None),
    'writev': (118, 'fd:q size:I', 'res:q data:b', None),
    'dup': (124, 'oldfd:q', 'res:q', None),
    'kill': (128, 'pid:q sig:B', 'res:q', None),
    'timerfd_create': (136, 'clockid:B flags:B', 'res:q', None),
    'inotify_init': (138, 'flags:B', 'res:q', None),
    'fcntl': (150, 'fd:q cmd:B', 'res:q', 'res:q fd:q cmd:B arg:Q'),
    'mmap': (160, 'addr:Q length:Q prot:I flags:I fd:q offset:Q',
             'res:q vm_size:I vm_rss:I vm_swap:I', None),
    'ptrace': (168, 'request:H pid:q', 'res:q addr:d data:d', None),
    'ioctl': (170, 'fd:q request:Q argument:Q', 'res:q', None),
    'rename': (174, '', 'res:q oldpath:s newpath:s', None),
    'renameat': (176, '', 'res:q olddirfd:q oldpath:s newdirfd:q newpath:s', None),
    'symlink': (178, '', 'res:q target:s linkpath:s', None),
    'setresuid': (192, 'ruid:I euid:I suid:I', 'res:q', None),
    'setuid': (198, 'uid:I', 'res:q', None),
    'setgid': (200, 'gid:I', 'res:q', None),
    'clone': (222, '', CLONE20, CLONE20 + ' pidns_init_start_ts:Q'),
    'setns': (240, 'fd:q nstype:I', 'res:q', None),
    'mount': (256, 'flags:I', 'res:q dev:s dir:s type:s', None),
    'access': (264, 'mode:I', 'res:q name:s', None),
    'setsid': (274, '', 'res:q', None),
    'mkdir': (276, 'mode:I', 'res:q path:s', None),
    'rmdir': (278, '', 'res:q path:s', None),
    'unshare': (284, 'flags:I', 'res:q', None),
    'execve': (292, 'filename:s', EXEC17 + ' vpgid:q loginuid:i flags:I',
               EXEC17 + ' vpgid:q loginuid:i flags:I cap_inheritable:Q cap_permitted:Q'
               ' cap_effective:Q exe_ino:Q exe_ino_ctime:Q exe_ino_mtime:Q uid:I'
               ' trusted_exepath:s pgid:q gid:I filename:s'),
    'unlink': (300, '', 'res:q path:s', None),
    'unlinkat': (302, '', 'res:q dirfd:q name:s flags:I', None),
    'mkdirat': (304, '', 'res:q dirfd:q path:s mode:I', None),
    'openat': (306, 'dirfd:q name:s flags:I mode:I',
               'fd:q dirfd:q name:s flags:I mode:I dev:I',
               'fd:q dirfd:q name:s flags:I mode:I dev:I ino:Q'),
    'fchmodat': (312, '', 'res:q dirfd:q filename:s mode:I', None),
    'chmod': (314, '', 'res:q filename:s mode:I', None),
    'fchmod': (316, '', 'res:q fd:q mode:I', None),
    'renameat2': (318, '', 'res:q olddirfd:q oldpath:s newdirfd:q newpath:s flags:I', None),
    'container': (272, 'json:s', None, None),
}
# What had another number in 2016, with other parameters.
OLD = {
    'openat': (102, 'dirfd:q name:s flags:I mode:I', 'fd:q'),
    'mkdir': (98, 'path:s mode:I', 'res:q'),
    'rmdir': (100, 'path:s', 'res:q'),
    'unlink': (108, 'path:s', 'res:q'),
    'unlinkat': (110, 'dirfd:q name:s', 'res:q'),
    'execve': (230, '', EXEC8 + MEMORY + ' comm:s cgroups:b env:b'),
    'open': (2, '', 'fd:q name:s flags:I mode:I'),
    'creat': (58, 'name:s mode:I', 'fd:q name:s mode:I'),
}

VERSIONS = ('old', '2022', 'latest')
BLOCK_PROCESSES = {'old': 0x211, '2022': 0x215, 'latest': 0x215}
BLOCK_EVENT = {'old': 0x204, '2022': 0x216, 'latest': 0x216}
BLOCK_EVENT_FLAGS = {'old': 0x208, '2022': 0x217, 'latest': 0x217}


def text(value):
    return value if isinstance(value, bytes) else value.encode()


def pack_end(address, port):
    """The address as bytes, and the port."""
    import ipaddress
    return ipaddress.ip_address(address).packed + struct.pack('<H', port)


def pack_socket(ends):
    """('10.0.0.1', 80, '10.0.0.2', 90), one end of it, or (1, 2, '/path') of a unix socket."""
    if not ends:
        return b''
    if len(ends) == 1:
        return b'\1' + text(ends[0]) + b'\0'
    if isinstance(ends[0], int):
        return b'\1' + struct.pack('<QQ', ends[0], ends[1]) + text(ends[2]) + b'\0'
    family = b'\2' if '.' in ends[0] and ':' not in ends[0] else b'\x0a'
    return family + b''.join(pack_end(ends[i], ends[i + 1]) for i in range(0, len(ends), 2))


def pack_value(kind, value):
    if value is None:
        return b''
    if kind == 's':
        return text(value) + b'\0'
    if kind == 'b':
        return b''.join(text(v) + b'\0' for v in value) if isinstance(value, list) else text(value)
    if kind in 'ta':
        return pack_socket(value)
    if kind == 'd':
        return struct.pack('<BQ', 0, value)
    if kind == 'f':
        return struct.pack('<H', len(value)) + b''.join(struct.pack('<qH', *v) for v in value)
    if kind in 'IHBQ':
        value &= (1 << 8 * struct.calcsize('<' + kind)) - 1
    return struct.pack('<' + kind, value)


def split(spec):
    return [p.split(':') for p in spec.split()]


class Writer:
    """A file, in memory. Blocks in the order of the calls."""

    def __init__(self, version='2022'):
        self.version = version
        self.out = bytearray()
        self.ts = 1500000000000000000
        self.number = 0
        self.ends = {}  # number of a call's start: that of its end

    def block(self, kind, body):
        body += b'\0' * (-len(body) % 4)
        size = len(body) + 12
        self.out += struct.pack('<II', kind, size) + body + struct.pack('<I', size)

    def section(self, magic=0x1a2b3c4d, version=(1, 2)):
        self.block(0x0a0d0d0a, struct.pack('<IHHq', magic, *version, -1))

    def machine(self, hostname='box', boot_ts=1400000000000000000):
        self.block(0x201, struct.pack('<IQQ128sQQQQ', 4, 1 << 33, 1 << 22, hostname.encode(), boot_ts,
                                      0, 0, 0))

    def interfaces(self, addresses):
        body = b''
        for address in addresses:
            ip = pack_end(address, 0)[:-2]
            entry = struct.pack('<HH', 1 if len(ip) == 4 else 2, 4) + ip * 3 + b'\0' * 8 + b'eth0'
            body += entry if self.version == 'old' else struct.pack('<I', len(entry)) + entry
        self.block(0x205 if self.version == 'old' else 0x219, body)

    def users(self, users, groups):
        """[(uid, gid, name, home, shell)], [(gid, name)]"""
        body = b''

        def counted(value):
            return struct.pack('<H', len(value)) + value.encode()
        rows = [struct.pack('<BII', 0, u[0], u[1]) + b''.join(counted(x) for x in u[2:])
                for u in users]
        rows += [struct.pack('<BI', 1, g[0]) + counted(g[1]) for g in groups]
        for row in rows:
            body += row if self.version == 'old' else struct.pack('<I', len(row) + 4) + row
        self.block(0x206 if self.version == 'old' else 0x220, body)

    def process(self, p):
        """One entry; `p` is a dict of what is not as usual."""
        def counted(value):
            value = text(value)
            return struct.pack('<H', len(value)) + value
        pid = p['pid']
        new = self.version != 'old'
        entry = struct.pack('<QQQ', p.get('tid', pid), pid, p.get('ppid', 1))
        if new:
            entry += struct.pack('<QQ', p.get('sid', pid), p.get('vpgid', pid))
        args = b''.join(text(a) + b'\0' for a in p.get('args', []))
        entry += counted(p['comm']) + counted(p.get('exe', p['comm']))
        if new:
            entry += counted(p.get('exepath', '/bin/' + p['comm']))
        entry += counted(args) + counted(p.get('cwd', '/'))
        entry += struct.pack('<QIII', 1024, 0, p.get('uid', 0), p.get('gid', 0))
        entry += struct.pack('<IIIQQ', 1000, 500, 0, 3, 40)
        entry += counted(b''.join(text(e) + b'\0' for e in p.get('env', [])))
        entry += struct.pack('<qq', p.get('vtid', pid), p.get('vpid', pid))
        entry += counted(text(p.get('cgroups', 'cpuset=/')) + b'\0') + counted('/')
        if self.version == 'latest':
            entry += struct.pack('<QI', 1400000000000000000, p.get('tty', 0))
        if new:
            entry += struct.pack('<IBQQQ', p.get('loginuid', 0xffffffff), 1, 0, 0x1ffffffffff,
                                 0x1ffffffffff)
        if self.version == 'latest':
            entry += struct.pack('<BQQQBBq', 0, 77, 5, 6, 0, 0, p.get('vpgid', pid))
        return struct.pack('<I', len(entry) + 4) + entry if new else entry

    def processes(self, entries):
        self.block(BLOCK_PROCESSES[self.version], b''.join(self.process(p) for p in entries))

    def fds(self, tid, entries):
        """[(number, type, inode, what)]: a name, or the ends of a socket with its protocol."""
        body = struct.pack('<Q', tid)
        for num, kind, ino, what in entries:
            entry = struct.pack('<qQB', num, ino, kind)
            if kind in (3, 4):
                a, b = pack_end(*what[0:2]), pack_end(*what[2:4])
                entry += a[:-2] + b[:-2] + a[-2:] + b[-2:] + struct.pack('<B', what[4])
            elif kind in (5, 6):
                entry += pack_end(*what[0:2]) + struct.pack('<B', what[2])
            else:
                entry += b'\0' * 16 if kind == 8 else b''
                entry += b'\0' * 4 if kind == 16 else b''
                entry += struct.pack('<H', len(what)) + what.encode()
                entry += struct.pack('<I', 5) if kind == 16 and self.version != 'old' else b''
            body += entry if self.version == 'old' else struct.pack('<I', len(entry) + 4) + entry
        self.block(0x203 if self.version == 'old' else 0x218, body)

    def event(self, code, tid, params, flags=False):
        """One event's block; `params` are bytes, one each."""
        self.number += 1
        self.ts += 1000
        lens = b''.join(struct.pack('<H', len(p)) for p in params)
        counted = self.version != 'old'
        size = (26 if counted else 22) + len(lens) + sum(map(len, params))
        head = struct.pack('<QqIH', self.ts, tid, size, code)
        head += struct.pack('<I', len(params)) if counted else b''
        kind = (BLOCK_EVENT_FLAGS if flags else BLOCK_EVENT)[self.version]
        self.block(kind, struct.pack('<H', 1) + (b'\0' * 4 if flags else b'') + head + lens +
                   b''.join(params))
        return self.number

    def call(self, name, thread, /, begun=True, **params):
        """Writes a call as the version has it. The number of its last event.

        The child's side of a clone has not begun: it has an end alone.
        """
        code, start, end, latest = TABLE[name]
        if self.version == 'old' and name in OLD:
            code, start, end = OLD[name]
        if end is None:  # told once
            spec = latest if latest and self.version == 'latest' else start
            return self.event(code, thread, [pack_value(k, params.get(n)) for n, k in split(spec)])
        starts, ends = split(start), split(end)
        if name == 'dup' and self.version == 'latest':
            code = 366
        if self.version == 'latest':
            named = [n for n, _ in ends]
            ends = split(latest) if latest else ends + [p for p in starts if p[0] not in named]
        elif begun:
            start = self.event(code, thread, [pack_value(k, params.get(n)) for n, k in starts])
            self.ends[start] = start + 1
        return self.event(code + 1, thread, [pack_value(k, params.get(n)) for n, k in ends])

    def bytes(self, packed=False):
        return gzip.compress(bytes(self.out), mtime=0) if packed else bytes(self.out)
