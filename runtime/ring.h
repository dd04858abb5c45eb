/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks on io_uring: programs of bpf/hook_ring.bpf.c, of which kernels need different ones.
 * A tracepoint has its programs in the order in which they are tried; one of them must fit.
 */
#ifndef RULEC_RING_H
#define RULEC_RING_H

#define RING_LINKS 3

struct bpf_object;

/*
 * Attaches all three tracepoints, or nothing. `links` are descriptors; -1: not attached. 0, or
 * -errno; -ENOENT: this kernel has no io_uring that the probe knows.
 */
int ring_attach(const struct bpf_object *object, int links[RING_LINKS]);
/*
 * Of an object that is not loaded yet and will be without these hooks: their maps take next to no
 * memory. (They must be there: what judges has code that looks into one.)
 */
void ring_leave_out(struct bpf_object *object);
void ring_detach(int links[RING_LINKS]);

#endif
