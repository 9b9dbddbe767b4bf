#include "models/ring.h"

#include <stddef.h>

#ifndef WITH_LIBURING

const char *ring_unavailable(void)
{
    return "built without liburing; install liburing-dev and build again";
}

#else

#include "kit/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFERS = 64 };    /* a power of two; more completions at once wait their turn */

static char *buffer_address(const struct ring *ring, unsigned number)
{
    return (char *)ring->buffers + RING_BUFFER * (1 + number);
}

static void lend(struct ring *ring, unsigned number)
{
    io_uring_buf_ring_add(ring->buffers, buffer_address(ring, number), RING_BUFFER,
                          (unsigned short)number, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(ring->buffers, 1);
}

static int open_buffers(struct ring *ring)
{
    void *memory;    /* the kernel wants whole pages, which are larger on some machines */
    if (posix_memalign(&memory, (size_t)sysconf(_SC_PAGESIZE),
                       RING_BUFFER * (1 + BUFFERS)) != 0)
        return -ENOMEM;
    ring->buffers = memory;
    memset(ring->buffers, 0, RING_BUFFER);
    struct io_uring_buf_reg group = {.ring_addr = (uintptr_t)ring->buffers,
                                     .ring_entries = BUFFERS};
    int error = io_uring_register_buf_ring(&ring->io, &group, 0);
    for (unsigned i = 0; !error && i < BUFFERS; i++)
        lend(ring, i);
    return error;
}

int ring_open(struct ring *ring)
{
    /* One thread uses the ring, and the kernel finishes its work when that thread waits
       for it, not whenever a packet comes. Linux has both from 6.1 on. */
    unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int error = io_uring_queue_init(RING_ENTRIES, &ring->io, flags);
    ring->error = 0;
    if (error == -EINVAL)
        error = io_uring_queue_init(RING_ENTRIES, &ring->io, 0);
    if (error)
        return error;
    error = open_buffers(ring);
    if (error)
        ring_close(ring);
    return error;
}

void ring_close(struct ring *ring)
{
    /* The end of the ring would cancel what is in flight too, but some time later, from a
       thread of the kernel. -ENOENT: nothing is. Before Linux 6.0 there is
       no such call. */
    struct io_uring_sync_cancel_reg everything = {
        .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL, .timeout = {-1, -1}};
    io_uring_register_sync_cancel(&ring->io, &everything);
    io_uring_queue_exit(&ring->io);
    free(ring->buffers);
}

struct io_uring_sqe *ring_entry(struct ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->io);
    if (entry)
        return entry;
    int submitted = io_uring_submit(&ring->io);
    if (submitted < 0)
        ring->error = submitted;
    entry = io_uring_get_sqe(&ring->io);
    return entry ? entry : &ring->nowhere;
}

int ring_wait(struct ring *ring, int64_t timeout_ns, struct io_uring_cqe **done, int size)
{
    struct __kernel_timespec timeout = {timeout_ns / CLOCK_S, timeout_ns % CLOCK_S};
    int waited = ring->error ? ring->error
                             : io_uring_submit_and_wait_timeout(&ring->io, done, 1,
                                                                &timeout, NULL);
    /* EBUSY: more is complete than the ring holds; what it holds is to be taken first. */
    if (waited < 0 && waited != -ETIME && waited != -EINTR && waited != -EBUSY)
        return ring->error = waited;
    return (int)io_uring_peek_batch_cqe(&ring->io, done, (unsigned)size);
}

const char *ring_bytes(const struct ring *ring, const struct io_uring_cqe *done)
{
    return buffer_address(ring, done->flags >> IORING_CQE_BUFFER_SHIFT);
}

void ring_lend_again(struct ring *ring, const struct io_uring_cqe *done)
{
    if (done->flags & IORING_CQE_F_BUFFER)
        lend(ring, done->flags >> IORING_CQE_BUFFER_SHIFT);
}

/* Opens one, as the model will: what can go wrong then goes wrong now. */
const char *ring_unavailable(void)
{
    struct ring ring;
    int error = ring_open(&ring);
    if (error == 0)
        ring_close(&ring);
    switch (-error) {
    case 0:
        return NULL;
    case EPERM:
    case EACCES:
        return "io_uring is refused here, by a seccomp filter (as in a container) or by "
               "sysctl kernel.io_uring_disabled";
    case ENOSYS:
        return "this kernel has no io_uring, or a seccomp filter hides it";
    case EINVAL:
        return "this kernel's io_uring lends no buffers; Linux 5.19 is the first whose "
               "does";
    default:
        return strerror(-error);
    }
}

#endif
