/* The chores of io_uring(7), made once and checked: a ring, the buffers that it lends to
   whoever receives, and the reason where there is none. Serves the uring model alone. */
#ifndef MODELS_RING_H
#define MODELS_RING_H

/* Why no ring can be had here, in words, or NULL: it can. */
const char *ring_unavailable(void);

#ifdef WITH_LIBURING    /* the Makefile says so, to uring.c and ring.c */
#include <liburing.h>
#include <stdint.h>

enum {
    RING_ENTRIES = 128,    /* operations handed over at once; more may be in flight */
    RING_BUFFER = 4096     /* bytes of one buffer */
};

struct ring {
    struct io_uring           io;
    struct io_uring_buf_ring *buffers;    /* a page, then the buffers, all owned */
    struct io_uring_sqe       nowhere;    /* what is written here is never submitted */
    int                       error;      /* -errno: it has failed, and is to be closed */
};

/* Returns 0, and the ring is the caller's, who alone uses it and ends it with ring_close;
   or -errno. */
int ring_open(struct ring *ring);

/* Cancels every operation in flight, and awaits those that are past that: what they name
   may be freed then. Linux before 6.0 does it later, behind our back. */
void ring_close(struct ring *ring);

/* Returns an entry of the submission queue, for the caller to fill. A full queue is
   submitted first; where that fails, error is set and the entry leads nowhere. */
struct io_uring_sqe *ring_entry(struct ring *ring);

/* Submits the entries, waits for a completion, but no longer than timeout_ns, and finds
   up to size of those that there are: they stay in the ring until io_uring_cq_advance(3).
   Returns how many, 0 after the timeout or a signal, or -errno, which it also sets. */
int ring_wait(struct ring *ring, int64_t timeout_ns, struct io_uring_cqe **done,
              int size);

/* The bytes of a receive that is complete; they are done->res. */
const char *ring_bytes(const struct ring *ring, const struct io_uring_cqe *done);

/* Lends the buffer of a receive, if it was given one, to the next. */
void ring_lend_again(struct ring *ring, const struct io_uring_cqe *done);
#endif

#endif
