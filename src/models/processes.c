/* Processes: the same exchange, in a process of its own for each request. A child shares
   no memory with its parent but the results, which are mapped to be shared. */
#include "models/exchange.h"
#include "models/models.h"

#include "kit/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A place for one request in flight. */
struct slot {
    pid_t child;     /* 0: free */
    int   number;    /* of its request */
};

struct family {
    const struct workload *workload;
    struct result         *shared;    /* the children write here, each one result */
    struct slot           *slots;     /* workload->in_flight of them */
    int                    children;
};

/* The child's end is a result only if it ended by itself: one that was killed, by
   whatever, is one failed request. */
static void slot_end(struct family *family, struct slot *slot, int status)
{
    struct result *result = &family->shared[slot->number];
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        result->error = ECHILD;
        result->end_ns = clock_ns();
    }
    slot->child = 0;
    family->children--;
}

/* Waits until a child ends, whichever it is. Returns its slot, which is free now. */
static struct slot *reap(struct family *family)
{
    for (;;) {
        int status;
        pid_t child = waitpid(-1, &status, 0);    /* EINTR: a signal came; wait again */
        for (struct slot *slot = family->slots;
             child > 0 && slot < family->slots + family->workload->in_flight; slot++) {
            if (slot->child == child) {
                slot_end(family, slot, status);
                return slot;
            }
        }
    }
}

static int start_processes(struct family *family)
{
    const struct workload *workload = family->workload;
    for (int i = 0; i < workload->count; i++) {
        struct slot *slot = family->children < workload->in_flight
                                ? &family->slots[i]    /* first round: all are free */
                                : reap(family);
        if (*workload->stop)
            break;
        family->shared[i].start_ns = clock_ns();    /* should the child not get so far */
        pid_t child = fork();
        if (child < 0) {
            family->shared[i].start_ns = 0;
            return -errno;    /* EAGAIN: no more processes; the rest never start */
        }
        if (child == 0) {
            exchange(workload, i, &family->shared[i]);
            _exit(0);    /* not exit(3), which would write the parent's buffers again */
        }
        *slot = (struct slot){.child = child, .number = i};
        family->children++;
    }
    return 0;
}

static int run(const struct workload *workload, struct result *results)
{
    struct family family = {.workload = workload};
    size_t size = (size_t)workload->count * sizeof *results;
    family.slots = calloc((size_t)workload->in_flight, sizeof *family.slots);
    if (!family.slots)
        return -ENOMEM;
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        free(family.slots);
        return -ENOMEM;
    }
    family.shared = shared;
    memcpy(shared, results, size);    /* each says "never started" */
    int error = start_processes(&family);
    while (family.children > 0)
        reap(&family);
    memcpy(results, shared, size);
    munmap(shared, size);
    free(family.slots);
    return error;
}

const struct model model_processes = {
    .name = "processes",
    .idea = "a process for each request, forked; nothing is shared but the results",
    .process_each = true,
    .run = run,
};
