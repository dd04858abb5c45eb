# SPDX-License-Identifier: Apache-2.0
"""What the scap files of the tests tell of: a scene with a bit of everything, and random calls."""
import json
import random

CONTAINER = '3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e'
DOCKER = f'cpuset=/docker/{CONTAINER}'
RDONLY, WRONLY, RDWR, CREAT, DIRECTORY, CLOEXEC = 1, 2, 3, 4, 0x400, 0x1000
THREAD = 0x2000
CWD = -100
ENOENT, EACCES, EBADF, EINPROGRESS = -2, -13, -9, -115


def lists(w):
    """The machine and what runs on it when the capture begins."""
    w.section()
    w.machine()
    w.interfaces(['127.0.0.1', '10.0.0.5', 'fe80::5'])
    w.users([(0, 0, 'root', '/root', '/bin/bash'), (1000, 1000, 'ann', '/home/ann', '/bin/sh')],
            [(0, 'root'), (1000, 'ann')])
    w.processes([
        {'pid': 1, 'ppid': 0, 'comm': 'systemd', 'exe': '/sbin/init', 'sid': 1},
        {'pid': 50, 'ppid': 1, 'comm': 'sshd', 'exe': '/usr/sbin/sshd', 'args': ['-D'], 'sid': 50},
        {'pid': 100, 'ppid': 50, 'comm': 'bash', 'exe': '-bash', 'cwd': '/home/ann', 'sid': 100,
         'uid': 1000, 'gid': 1000, 'loginuid': 1000, 'env': ['HOME=/home/ann', 'LANG=C'],
         'tty': 34816},
        {'pid': 300, 'ppid': 1, 'comm': 'nginx', 'exe': 'nginx: master', 'cwd': '/', 'sid': 300,
         'args': ['-g', 'daemon off;']},
        {'pid': 400, 'ppid': 1, 'comm': 'redis', 'exe': 'redis-server', 'args': ['*:6379'],
         'vpid': 1, 'vtid': 1, 'sid': 1, 'vpgid': 1, 'cgroups': DOCKER, 'uid': 999, 'gid': 999},
    ])
    w.fds(100, [(0, 1, 3, '/dev/pts/0'), (1, 1, 3, '/dev/pts/0'), (2, 1, 3, '/dev/pts/0'),
                (3, 2, 9, '/home/ann/work'), (9, 7, 77, 'pipe:[77]')])
    w.fds(300, [(6, 5, 10, ('0.0.0.0', 80, 2)),
                (7, 3, 11, ('10.0.0.5', 80, '10.0.0.9', 5555, 2)),
                (8, 3, 12, ('10.0.0.5', 40000, '10.0.0.7', 443, 2)),
                (9, 4, 13, ('fe80::5', 41000, 'fe80::9', 53, 3)),
                (10, 8, 14, '/run/nginx.sock'), (11, 16, 15, '/var/log/nginx.log')])


def clone(w, parent, child, flags=0, **what):
    """Both sides of a clone that made `child`."""
    p = {'exe': 'x', 'args': [], 'tid': parent, 'pid': parent, 'ptid': 1, 'cwd': '', 'fdlimit': 1024,
         'pgft_maj': 1, 'pgft_min': 2, 'vm_size': 30, 'vm_rss': 20, 'vm_swap': 0, 'comm': 'x',
         'cgroups': ['cpuset=/'], 'flags': flags, 'uid': 0, 'gid': 0, 'vtid': parent,
         'vpid': parent, 'pidns_init_start_ts': 0}
    p.update(what)
    w.call('clone', parent, **{**p, 'res': child})
    c = {**p, 'res': 0, 'tid': child, 'ptid': parent, 'vtid': child,
         'pid': p['pid'] if flags & THREAD else child,
         'vpid': p['pid'] if flags & THREAD else child}
    return w.call('clone', child, begun=False, **c)


def execve(w, tid, path, args, **what):
    p = {'res': 0, 'exe': path, 'args': args, 'tid': tid, 'pid': tid, 'ptid': 100, 'cwd': '',
         'fdlimit': 1024, 'pgft_maj': 0, 'pgft_min': 9, 'vm_size': 100, 'vm_rss': 50, 'vm_swap': 0,
         'comm': path.rsplit('/', 1)[-1][:15], 'cgroups': ['cpuset=/'], 'env': ['A=1', 'B=two'],
         'tty': 34816, 'vpgid': tid, 'loginuid': 1000, 'flags': 1, 'cap_inheritable': 0,
         'cap_permitted': 0x3000, 'cap_effective': 0x2000, 'exe_ino': 55, 'exe_ino_ctime': 7,
         'exe_ino_mtime': 8, 'uid': 1000, 'gid': 1000, 'pgid': tid, 'trusted_exepath': path,
         'filename': path}
    return w.call('execve', tid, **{**p, **what})


def shell_work(w):
    """A shell starts programs, which work with files."""
    bash = {'exe': '-bash', 'comm': 'bash', 'uid': 1000, 'gid': 1000, 'ptid': 50}
    clone(w, 100, 200, **bash)
    execve(w, 200, '/bin/cat', ['/etc/shadow', '-n'])
    w.call('open', 200, fd=3, name='/etc/shadow', flags=RDONLY, mode=0, dev=8, ino=5)
    w.call('read', 200, fd=3, size=100, res=12, data=b'root:x:0:0::')
    w.call('open', 200, fd=ENOENT, name='notes/../nothing', flags=RDWR | CREAT, mode=0o644, dev=0)
    w.call('openat', 200, fd=4, dirfd=CWD, name='work//list', flags=WRONLY | CREAT, mode=0o755,
           dev=8, ino=6)
    w.call('write', 200, fd=4, size=5, res=5, data=b'hello')
    w.call('openat', 200, fd=5, dirfd=3, name='below', flags=RDONLY | DIRECTORY | CLOEXEC, mode=0,
           dev=8, ino=7)
    w.call('openat', 200, fd=EACCES, dirfd=CWD, name='/root/.ssh/id_rsa', flags=RDONLY, mode=0,
           dev=0)
    w.call('creat', 200, fd=6, name='/tmp/made', mode=0o600, dev=8, ino=8, creat_flags=0)
    w.call('dup', 200, res=7, oldfd=4)
    w.call('write', 200, fd=7, size=3, res=3, data=b'dup')
    w.call('close', 200, fd=4, res=0)
    w.call('write', 200, fd=7, size=1, res=1, data=b'x')
    w.call('fcntl', 200, res=12, fd=7, cmd=1, arg=10)
    w.call('pread', 200, fd=12, size=4, pos=8, res=4, data=b'\0\1\2\3')
    w.call('chdir', 200, res=0, path='work')
    w.call('open', 200, fd=13, name='relative', flags=RDWR, mode=0, dev=8, ino=9)
    w.call('mkdir', 200, res=0, path='new', mode=0o700)
    w.call('rename', 200, res=0, oldpath='new', newpath='/tmp/newer')
    w.call('rename', 200, res=ENOENT, oldpath='/x', newpath='/y')
    w.call('renameat', 200, res=0, olddirfd=CWD, oldpath='a', newdirfd=CWD, newpath='b')
    w.call('renameat2', 200, res=0, olddirfd=CWD, oldpath='c', newdirfd=CWD, newpath='d', flags=1)
    w.call('unlink', 200, res=0, path='/tmp/made')
    w.call('unlinkat', 200, res=0, dirfd=CWD, name='b', flags=0)
    w.call('rmdir', 200, res=ENOENT, path='gone')
    w.call('symlink', 200, res=0, target='/etc/passwd', linkpath='link')
    w.call('access', 200, res=ENOENT, name='/etc/ld.so.preload', mode=4)
    w.call('getcwd', 200, res=15, path='/home/ann/work')
    w.call('lseek', 200, fd=3, offset=4, whence=0, res=4)
    w.call('read', 200, fd=99, size=10, res=EBADF, data=b'')
    w.call('mmap', 200, addr=0, length=4096, prot=3, flags=2, fd=3, offset=0, res=0x7f0000000000,
           vm_size=120, vm_rss=60, vm_swap=1)
    w.call('ioctl', 200, fd=1, request=0x5401, argument=0, res=0)
    w.call('fchdir', 200, fd=5, res=0)
    w.call('open', 200, fd=14, name='deep', flags=RDONLY, mode=0, dev=8, ino=9)
    w.call('pipe', 200, res=0, fd1=15, fd2=16, ino=1234)
    w.call('write', 200, fd=16, size=2, res=2, data=b'pp')
    w.call('generic', 200, ID=113, nativeID=79)
    w.call('procexit', 200, status=0, ret=0, sig=0, core=0, reaper_tid=100)


def rights(w):
    """Changes of identity, of modes, of mounts; programs that fail to start."""
    bash = {'exe': '-bash', 'comm': 'bash', 'uid': 1000, 'gid': 1000, 'ptid': 50}
    clone(w, 100, 210, **bash)
    execve(w, 210, '/usr/bin/sudo', ['su', '-'], cap_effective=0x1ffffffffff)
    w.call('setuid', 210, res=0, uid=0)
    w.call('setresuid', 210, res=0, ruid=1000, euid=1000, suid=0)
    w.call('setuid', 210, res=-1, uid=0)
    w.call('setgid', 210, res=0, gid=5)
    w.call('chmod', 210, res=0, filename='/tmp/x', mode=0o4755)
    w.call('fchmod', 210, res=0, fd=1, mode=0o666)
    w.call('fchmodat', 210, res=0, dirfd=CWD, filename='x', mode=0o777)
    w.call('mount', 210, res=0, dev='/dev/sda', dir='/mnt', type='ext4', flags=1)
    w.call('kill', 210, res=0, pid=100, sig=9)
    w.call('ptrace', 210, res=0, request=11, pid=100, addr=0, data=0)
    w.call('setsid', 210, res=210)
    w.call('unshare', 210, res=0, flags=0x100000)
    execve(w, 210, '/bin/none', ['none'], res=ENOENT, exe='/bin/none', comm='sudo')
    clone(w, 210, 211, THREAD | 0x8803, exe='/usr/bin/sudo', comm='sudo', args=['su', '-'], ptid=100,
          uid=1000, gid=5)
    w.call('open', 211, fd=5, name='/etc/sudoers', flags=RDONLY, mode=0, dev=8, ino=2)
    w.call('read', 210, fd=5, size=10, res=1, data=b'#')
    w.call('procexit', 211, status=0, ret=0, sig=0, core=0, reaper_tid=0)
    w.call('read', 210, fd=5, size=10, res=0, data=b'')


def network(w):
    """Connections of all kinds."""
    clone(w, 100, 220, exe='-bash', comm='bash', uid=1000, gid=1000, ptid=50)
    execve(w, 220, '/usr/bin/curl', ['-s', 'http://example.org'])
    w.call('socket', 220, fd=20, domain=2, type=1, proto=6, flags=0)
    w.call('connect', 220, fd=20, res=EINPROGRESS, tuple=('10.0.0.5', 50001, '93.184.216.34', 80))
    w.call('write', 220, fd=20, size=4, res=4, data=b'GET ')
    w.call('read', 220, fd=20, size=4, res=4, data=b'HTTP')
    w.call('socket', 220, fd=21, domain=10, type=1, proto=0, flags=0)
    w.call('connect', 220, fd=21, res=0, tuple=('fe80::5', 50002, '2001:db8::1', 443))
    w.call('socket', 220, fd=22, domain=2, type=2, proto=17, flags=0)
    w.call('sendto', 220, fd=22, size=3, res=3, data=b'dns', tuple=('10.0.0.5', 50003, '8.8.8.8', 53))
    w.call('recvfrom', 220, fd=22, size=64, res=4, data=b'answ',
           tuple=('8.8.8.8', 53, '10.0.0.5', 50003))
    w.call('socket', 220, fd=23, domain=1, type=1, proto=0, flags=0)
    w.call('connect', 220, fd=23, res=0, tuple=(0xffff880012345678, 0xffff880087654321, '/run/x.sock'))
    w.call('socket', 220, fd=24, domain=2, type=1, proto=0, flags=0)
    w.call('connect', 220, fd=24, res=-111, tuple=None)
    w.call('shutdown', 220, fd=20, how=1, res=0)
    w.call('close', 220, fd=20, res=0)
    w.call('read', 220, fd=20, size=4, res=EBADF, data=b'')
    w.call('socket', 300, fd=30, domain=2, type=1, proto=0, flags=0)
    w.call('bind', 300, fd=30, res=0, addr=('0.0.0.0', 8080))
    w.call('listen', 300, fd=30, res=0, backlog=5)
    w.call('accept', 300, fd=31, tuple=('10.0.0.9', 6000, '10.0.0.5', 8080), queuepct=0, queuelen=0,
           queuemax=5)
    w.call('read', 300, fd=31, size=9, res=3, data=b'GET')
    w.call('read', 300, fd=7, size=9, res=3, data=b'old')
    w.call('write', 300, fd=8, size=9, res=3, data=b'out')
    w.call('writev', 300, fd=11, size=9, res=9, data=b'log line\n')
    w.call('read', 300, fd=10, size=9, res=1, data=b'u')
    w.call('socketpair', 300, domain=1, type=1, proto=0, res=0, fd1=40, fd2=41, source=0x1111,
           peer=0x2222)
    w.call('eventfd', 300, res=42, initval=0, flags=0)
    w.call('timerfd_create', 300, res=43, clockid=1, flags=0)
    w.call('inotify_init', 300, res=44, flags=0)
    w.call('poll', 300, fds=[(31, 1), (44, 4)], timeout=-1, res=1)


METADATA = {'container': {
    'Mounts': [{'Destination': '/data', 'Mode': 'ro', 'Propagation': 'rprivate', 'RDW': False,
                'Source': '/srv/redis'}],
    'id': CONTAINER[:12], 'image': 'example.org/redis:6.2', 'imagedigest': 'sha256:12ab',
    'imageid': 'f68d', 'imagerepo': 'example.org/redis', 'imagetag': '6.2', 'ip': '172.17.0.2',
    'labels': {'team': 'data'}, 'name': 'cache', 'privileged': True, 'type': 0}}


def container(w):
    """A program in a container starts another; its descriptors and names are its own."""
    waiting = {**METADATA['container'], 'name': 'incomplete', 'image': 'incomplete'}
    for told in ({'container': waiting}, METADATA):
        w.call('container', -1, json=json.dumps(told))
    inside = {'exe': 'redis-server', 'comm': 'redis', 'args': ['*:6379'], 'uid': 999, 'gid': 999,
              'cgroups': [DOCKER], 'vtid': 1, 'vpid': 1, 'flags': 0x20000000,
              'pidns_init_start_ts': 5}
    p = {'tid': 400, 'pid': 400, 'ptid': 1, 'cwd': '', 'fdlimit': 1024, 'pgft_maj': 1, 'pgft_min': 2,
         'vm_size': 30, 'vm_rss': 20, 'vm_swap': 0, **inside}
    w.call('clone', 400, res=7, **p)
    w.call('clone', 410, begun=False, **{**p, 'res': 0, 'tid': 410, 'pid': 410, 'ptid': 400,
                                         'vtid': 7, 'vpid': 7})
    execve(w, 410, '/bin/sh', ['-c', 'id'], ptid=400, uid=999, gid=999, cgroups=[DOCKER], tty=0,
           loginuid=-1, vpgid=1)
    w.call('open', 410, fd=3, name='/etc/passwd', flags=RDONLY, mode=0, dev=8, ino=3)
    w.call('procexit', 410, status=256, ret=1, sig=0, core=0, reaper_tid=400)


def scene(w):
    lists(w)
    shell_work(w)
    rights(w)
    network(w)
    container(w)
    return w


def names(r):
    """A path as programs write them."""
    part = r.choice(['etc', 'tmp', 'a', '..', '.', 'home', 'x y', 'shadow', 'bin'])
    kind = r.randrange(4)
    if kind == 0:
        return '/' + part
    if kind == 1:
        return f'/{part}/{r.choice(["b", "..", "c", ".", "passwd"])}'
    return part if kind == 2 else f'{part}//{r.choice(["d", "e", ".."])}'


class Process:
    """What a random process has open: numbers, and those that an exec closes."""

    def __init__(self, fds, cloexec=()):
        self.fds, self.cloexec = set(fds), set(cloexec)

    def fork(self):
        return Process(self.fds, self.cloexec)

    def exec(self):
        self.fds -= self.cloexec
        self.cloexec = set()


def opened(p, r, flags, failed):
    """The result of a call that opens something."""
    if failed:
        return failed
    fd = r.randrange(3, 30) if len(p.fds) > 20 else min(set(range(3, 40)) - p.fds)
    p.fds.add(fd)
    p.cloexec.discard(fd)
    if flags & CLOEXEC:
        p.cloexec.add(fd)
    return fd


def one(w, r, tid, p):
    """One call of a process."""
    fd = r.choice(sorted(p.fds))
    failed = r.choice([0, 0, 0, 0, ENOENT, EACCES])
    flags = r.choice([RDONLY, WRONLY, RDWR]) | r.choice([0, CREAT, DIRECTORY, CLOEXEC])
    a, b = f'10.0.0.{r.randrange(1, 9)}', f'192.168.1.{r.randrange(1, 9)}'
    port = r.randrange(1, 60000)
    name = r.choice(['open', 'openat', 'read', 'write', 'close', 'dup', 'chdir', 'mkdir', 'unlinkat',
                     'rename', 'connection', 'accept', 'setuid', 'kill', 'chmod', 'lseek'])
    if name == 'open':
        w.call(name, tid, fd=opened(p, r, flags, failed), name=names(r), flags=flags, mode=0o644,
               dev=8, ino=1)
    elif name == 'openat':
        w.call(name, tid, fd=opened(p, r, flags, failed), dirfd=CWD, name=names(r), flags=flags,
               mode=0o755, dev=8, ino=1)
    elif name in ('read', 'write', 'lseek'):
        w.call(name, tid, fd=fd, size=9, res=failed or 3, data=b'abc', offset=0, whence=0)
    elif name == 'close' and len(p.fds) > 3:
        p.fds.discard(fd)
        p.cloexec.discard(fd)
        w.call(name, tid, fd=fd, res=0)
    elif name == 'dup':
        w.call(name, tid, oldfd=fd, res=opened(p, r, 0, 0))
    elif name == 'connection':
        new = opened(p, r, 0, 0)
        w.call('socket', tid, fd=new, domain=2, type=1, proto=6, flags=0)
        w.call('connect', tid, fd=new, res=r.choice([0, EINPROGRESS]), tuple=(a, port, b, 80))
    elif name == 'accept':
        w.call(name, tid, fd=opened(p, r, 0, 0), tuple=(b, port, a, 80), queuepct=0, queuelen=0,
               queuemax=1)
    elif name in ('chdir', 'mkdir'):
        w.call(name, tid, res=failed, path=names(r), mode=0o700)
    elif name == 'unlinkat':
        w.call(name, tid, res=failed, dirfd=CWD, name=names(r), flags=0)
    elif name == 'rename':
        w.call(name, tid, res=failed, oldpath=names(r), newpath=names(r))
    elif name == 'chmod':
        w.call(name, tid, res=failed, filename=names(r), mode=r.randrange(0o10000))
    elif name == 'kill':
        w.call(name, tid, res=failed, pid=100, sig=r.randrange(1, 31))
    else:
        w.call('setuid', tid, res=failed, uid=r.choice([0, 1000]))


def chaos(w, seed, count):
    """Random calls by processes that come and go."""
    r = random.Random(seed)
    lists(w)
    alive, fresh = {100: Process([0, 1, 2, 3, 9]), 300: Process([6, 7, 8, 10, 11])}, 1000
    for _ in range(count):
        tid = r.choice(sorted(alive))
        kind = r.randrange(20)
        if kind == 0 and len(alive) < 12:
            fresh += 1
            clone(w, tid, fresh, exe='c', comm=f'c{fresh % 7}', args=['q'], uid=1000, gid=1000,
                  ptid=1)
            alive[fresh] = alive[tid].fork()
        elif kind == 1 and tid >= 1000:
            execve(w, tid, r.choice(['/bin/ls', '/usr/bin/id', '/sbin/x']), ['-l', names(r)],
                   ptid=1)
            alive[tid].exec()
        elif kind == 2 and tid > 1000 and len(alive) > 3:
            w.call('procexit', tid, status=0, ret=0, sig=0, core=0, reaper_tid=1)
            del alive[tid]
        else:
            one(w, r, tid, alive[tid])
    return w
