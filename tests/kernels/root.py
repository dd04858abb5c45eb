# SPDX-License-Identifier: Apache-2.0
"""The root file system of a guest: this machine's own programs, packed as an initramfs.

What live tests run stands as words in their tables and scripts: of these words, those that name a program
here go along, with the libraries that they load. So does Python with what it needs, Perl's base, the two
programs under test, the tests, and the rules.
"""
import glob
import os
import re
import stat
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM_MAX = 8 << 20 # of those that are meant none is larger
WORD = re.compile(r'[A-Za-z_][\w.+-]*')
OTHERS = re.compile(r'/usr/lib/|/usr/bin/x86_64-linux-gnu-') # compilers, applications
ALWAYS = ['busybox', 'python3', 'bash', 'sh', 'perl', 'true', 'mount', 'umount', 'unshare', 'ip',
          'bpftool']
PYTHON_LEFT_OUT = re.compile(r'/(test|idlelib|ensurepip|lib2to3|distutils|tkinter|turtledemo|pydoc_data|'
                             r'unittest|curses|dbm|config-[^/]*)(/|$)|/_sysconfigdata')
ETC = ['hosts', 'passwd', 'group', 'hostname', 'nsswitch.conf', 'ld.so.cache', 'services', 'protocols',
       'localtime', 'login.defs']
FOLDERS = ['bin', 'dev', 'etc/apt', 'etc/cron.d', 'etc/default', 'proc', 'root', 'run', 'sys', 'tmp',
           'usr/sbin', 'var/log', 'var/lib/dpkg', 'boot', 'lib/modules']
LINKS = {'bin': 'usr/bin', 'sbin': 'usr/sbin', 'lib': 'usr/lib', 'lib64': 'usr/lib64'}


class Archive:
    """A cpio archive in the making: paths are absolute, folders above them come by themselves."""

    def __init__(self):
        self.done, self.parts, self.number = {'/'}, [], 0

    def add(self, path, mode, content=b''):
        """One file, folder or link (its content is where it leads)."""
        if path in self.done:
            return
        self.done.add(path)
        self.folder(os.path.dirname(path))
        self.number += 1
        name = path[1:].encode() + b'\0'
        head = [self.number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
        self.part(b'070701' + b''.join(b'%08x' % value for value in head) + name)
        self.part(content)

    def part(self, data):
        """Everything begins at a multiple of four."""
        self.parts.append(data + bytes(-len(data) % 4))

    def folder(self, path):
        """A folder; what is a link on this machine is one there."""
        if path in self.done or path == '/':
            return
        if os.path.islink(path):
            self.copy(path)
        else:
            self.add(path, stat.S_IFDIR | (0o1777 if path in ('/tmp', '/run/shm') else 0o755))

    def copy(self, path):
        """A file of this machine, or a link and what it leads to."""
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if path in self.done:
            return
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            to = os.readlink(path)
            self.add(path, mode, to.encode())
            target = os.path.normpath(os.path.join(os.path.dirname(path), to))
            if os.path.isdir(target):
                self.folder(target)
            elif os.path.exists(target):
                self.copy(target)
        elif stat.S_ISREG(mode):
            with open(path, 'rb') as file:
                self.add(path, mode, file.read())
        elif stat.S_ISDIR(mode):
            self.folder(path)

    def tree(self, top, skip=None):
        """A folder with all that is in it."""
        for folder, names, files in os.walk(top):
            names[:] = [name for name in names if not (skip and skip.search(f'{folder}/{name}'))]
            self.folder(folder)
            for name in files + [n for n in names if os.path.islink(os.path.join(folder, n))]:
                if not (skip and skip.search(f'{folder}/{name}')):
                    self.copy(os.path.join(folder, name))

    def write(self, path):
        """Everything, into a file."""
        self.add('/TRAILER!!!', 0)
        with open(path, 'wb') as file:
            file.writelines(self.parts)


def programs():
    """Programs of this machine that words of the live tests name."""
    words = set(ALWAYS)
    for path in glob.glob(os.path.join(ROOT, 'tests/live/*.*')):
        with open(path, encoding='utf-8') as text:
            words.update(WORD.findall(text.read()))
    for word in sorted(words):
        for folder in ('/usr/bin', '/usr/sbin'):
            path = os.path.join(folder, word)
            real = os.path.realpath(path)
            if (os.path.isfile(path) and os.access(path, os.X_OK) and not OTHERS.match(real) and
                    os.path.getsize(path) < PROGRAM_MAX):
                yield path


def libraries(paths):
    """Shared libraries that programs load."""
    run = subprocess.run(['ldd', *paths], capture_output=True, text=True, check=False)
    return sorted(set(re.findall(r'(?:=> |^\t)(/\S+) \(0x', run.stdout, re.M)))


def python(archive):
    """The system's Python, and its reader of YAML."""
    top = glob.glob('/usr/lib/python3.[0-9]*')[0]
    archive.tree(top, PYTHON_LEFT_OUT)
    archive.tree('/usr/lib/python3/dist-packages/yaml')
    native = glob.glob('/usr/lib/python3/dist-packages/_yaml*') + glob.glob(top + '/lib-dynload/*.so')
    for path in native:
        if os.path.isdir(path):
            archive.tree(path)
    return [path for path in native if os.path.isfile(path)]


def ours(archive, falco):
    """What is tested, the tests, and the rules; all where it stands here."""
    for folder in ('tests', 'stdlib', 'rules'):
        archive.tree(os.path.join(ROOT, folder), re.compile(r'__pycache__|/(fuzz|golden|unit|diff)(/|$)'))
    built = [os.path.join(ROOT, 'build', name) for name in ('rulec', 'rulerun')]
    built += glob.glob(os.path.join(ROOT, 'build/release/tests/live/*'))
    built = [path for path in built if os.access(path, os.X_OK)]
    for path in built:
        archive.copy(path)
    if os.path.isdir(falco):
        archive.tree(falco)
    return built


INIT = """#!/bin/busybox sh
export PATH=/usr/bin:/usr/sbin HOME=/root LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 FALCO_RULES=@FALCO@
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mkdir -p /dev/pts /dev/shm
busybox mount -t devpts devpts /dev/pts
busybox mount -t tmpfs tmpfs /dev/shm
busybox mkdir /tmp0
busybox mount -t tmpfs tmpfs /tmp0
busybox cp -a /tmp/. /tmp0/ # the tests may stand there
busybox mount -o move /tmp0 /tmp
busybox mount -t tmpfs tmpfs /run
busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
busybox ip link set lo up
busybox hostname guest
busybox insmod /overlay.ko
echo "guest: Linux $(busybox uname -r)"
cd @ROOT@
busybox sh /commands
echo "guest: end"
busybox poweroff -f
"""


def build(path, falco, overlay, commands):
    """Writes a guest's root, which runs these lines of shell; `overlay`: its kernel's module."""
    archive = Archive()
    for link, to in LINKS.items():
        archive.add('/' + link, stat.S_IFLNK | 0o777, to.encode())
    for folder in FOLDERS:
        archive.folder('/' + folder)
    named = list(programs())
    need = named + python(archive) + ours(archive, falco)
    for one in [*named, *libraries(need), *glob.glob('/lib64/ld-linux-*')]:
        archive.copy(one)
    archive.tree('/usr/lib/x86_64-linux-gnu/perl-base')
    archive.tree('/usr/lib/locale/C.utf8')
    for name in ETC:
        if os.path.exists('/etc/' + name):
            archive.copy('/etc/' + name)
    archive.add('/etc/shadow', stat.S_IFREG | 0o640, b'root:*:20000:0:99999:7:::\n')
    init = INIT.replace('@ROOT@', ROOT).replace('@FALCO@', falco)
    archive.add('/init', stat.S_IFREG | 0o755, init.encode())
    archive.add('/commands', stat.S_IFREG | 0o644, commands.encode())
    archive.add('/overlay.ko', stat.S_IFREG | 0o644, overlay)
    archive.write(path)
