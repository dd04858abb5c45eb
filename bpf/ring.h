/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the probe knows of io_uring: the kernel's types (of 6.0 and later; not all kernels have all
 * of them), and a request as it is kept from its submission to its completion.
 *
 * A request's own structure (struct io_open, ...) begins where the request does. It is read when
 * the request was submitted: the kernel has taken the arguments out of the ring then, so that who
 * writes into the ring's memory changes nothing any more.
 */
#ifndef RULEC_RING_H
#define RULEC_RING_H

#include "probe.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct io_cqe {
    __u64 user_data;
    __s32 res;
    int fd; /* of the submission: a descriptor, or its place in the ring's table */
};

struct io_cmd_data {
    struct file *file;
};

struct io_uring_cqe {
    __u64 user_data;
    __s32 res;
    __u32 flags;
};

struct io_rsrc_node {
    unsigned long file_ptr;
};

struct io_rsrc_data {
    unsigned int nr;
    struct io_rsrc_node **nodes;
};

struct io_file_table { /* from 6.13 on */
    struct io_rsrc_data data;
};

struct io_fixed_file {
    unsigned long file_ptr;
};

struct io_file_table___early { /* before 6.13 */
    struct io_fixed_file *files;
};

struct io_ring_ctx {
    unsigned int compat : 1;
    unsigned int nr_user_files; /* before 6.13 */
    struct io_file_table file_table;
};

struct io_uring_task {
    struct task_struct *task;
};

struct io_kiocb {
    struct file *file;
    __u8 opcode;
    __u64 flags; /* before 6.10 half of it: the lower half is what is looked at */
    struct io_cqe cqe;
    struct io_ring_ctx *ctx;
    struct io_uring_task *tctx;
    void *async_data;
};

struct io_kiocb___task { /* before 6.13 */
    struct task_struct *task;
};

struct filename {
    const char *name;
};

struct open_how {
    __u64 flags, mode, resolve;
};

struct io_open {
    int dfd;
    __u32 file_slot;
    struct filename *filename;
    struct open_how how;
};

struct io_close {
    int fd;
    __u32 file_slot;
};

struct io_unlink {
    int dfd, flags;
    struct filename *filename;
};

struct io_rename {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
    int flags;
};

struct io_mkdir {
    int dfd;
    unsigned short mode;
    struct filename *filename;
};

struct io_link {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
    int flags;
};

struct io_statx {
    int dfd;
    unsigned int mask, flags;
    struct filename *filename;
};

struct io_connect {
    void *addr;
    int addr_len;
};

struct io_accept {
    int flags;
    __u32 file_slot;
};

struct io_socket {
    int domain, type, protocol;
    __u32 file_slot;
};

struct io_shutdown {
    int how;
};

struct io_sr_msg {
    void *buf;
    unsigned int len, msg_flags;
    void *addr; /* newer kernels have copied it */
};

struct msghdr {
    void *msg_name;
};

struct io_async_msghdr {
    struct msghdr msg;
};

struct io_rw {
    __u64 addr;
    __u32 len;
};

struct io_splice {
    __u64 len;
    int splice_fd_in;
    unsigned int flags;
};

struct io_sync {
    __s64 len, off;
    int mode;
};

struct io_ftrunc {
    __s64 len;
};

struct io_listen {
    int backlog;
};

struct io_pipe {
    int *fds;
    int flags;
};

struct io_epoll_wait {
    int maxevents;
};

#pragma clang attribute pop

/* Flags of a submission entry, and of the request made of it. */
#define SQE_FIXED_FILE 1u  /* the descriptor is a place in the ring's table */
#define SQE_CQE_SKIP 0x40u /* no completion is posted if it succeeds */

#define CQE_F_MORE 2u  /* there will be others */
#define CQE_F_NOTIF 8u /* a buffer is free again: tells nothing of the call */

#define ECANCELED 125

/* Place in the ring's table where a file is to be put, counted from 1; 0: it gets a descriptor. */
#define SLOT_ANY 0xffffffffu /* any that is free: the result says which */

/* One of two texts of a request: where the kernel has it, and which argument it is. */
#define RING_TEXTS 2
#define NO_ARG 0xff

/* A request, as the system call that it stands for. */
struct ring_call {
    __u64 args[6];
    __u64 ring, req; /* addresses */
    __u64 user_data;
    __u64 text[RING_TEXTS];
    __u32 tid;
    __u32 slot;
    __u32 flags; /* SQE_* */
    __u16 nr;
    __u8 op;
    __u8 text_arg[RING_TEXTS]; /* NO_ARG: none */
    __u8 final;                /* there will be no other completion */
    __u8 has_peer;             /* in peer[] is the beginning of a socket address */
    __u8 pad;
    __u8 peer[24];
};

#endif
