/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Names of files that have no path. Each writes at most 200 bytes and returns their number. */
#ifndef RULEC_NAME_H
#define RULEC_NAME_H

#include "probe.h"

/* A number in 16 hexadecimal digits, as a kernel address always has. */
static __always_inline void put_hex(char *to, __u64 v)
{
    for (int i = 15; i >= 0; i--) {
        __u8 digit = v & 15;

        to[i] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        v >>= 4;
    }
}

/* The path a unix socket is bound to, or 0 bytes. An abstract name begins with @, not with NUL. */
static __always_inline __u32 put_unix_path(char *to, __u64 sk)
{
    __u64 addr = (__u64)KREAD(struct unix_sock, sk, addr);
    __s32 len = addr ? KREAD(struct unix_address, addr, len) - 2 : 0;
    __u64 path = addr + bpf_core_field_offset(struct unix_address, name) + 2;
    long n;

    if (len <= 0 || len > 108)
        return 0;
    n = bpf_probe_read_kernel_str(to, 109, (void *)path);
    if (n > 1)
        return (__u32)n - 1;
    OPAQUE(len);
    if (len < 2 || len > 108 || bpf_probe_read_kernel(to, (__u32)len, (void *)path))
        return 0;
    to[0] = '@';
    return (__u32)len;
}

/* `socket->peer path`, both as addresses; a socket without a peer: the path it is bound to. */
static __always_inline __u32 put_unix_name(char *to, __u64 file)
{
    __u64 sk = sock_of_file(file);
    __u64 peer = (__u64)KREAD(struct unix_sock, sk, peer);
    __u32 n;

    if (!peer)
        return put_unix_path(to, sk);
    put_hex(to, sk);
    to[16] = '-';
    to[17] = '>';
    put_hex(to + 18, peer);
    to[34] = ' ';
    n = put_unix_path(to + 35, peer);
    return 35 + (n ? n : put_unix_path(to + 35, sk));
}

/* The name that memfd_create() was given. */
static __always_inline __u32 put_memfd_name(char *to, __u64 file)
{
    __u64 name = (__u64)KREAD(struct file, file, f_path.dentry, d_name.name);
    long n = bpf_probe_read_kernel_str(to, 256, (void *)(name + 6));

    return n > 0 ? (__u32)n - 1 : 0;
}

#endif
