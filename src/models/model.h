/* The contract of a model: one way of waiting for many requests. */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include "kit/net.h"
#include "kit/result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is asked: `count` requests, at most `in_flight` of them at any moment. */
struct workload {
    struct endpoint server;       /* resolved before the clock starts */
    const char     *target;       /* "/delay/50ms?i={i}"; {i} is the request's number */
    int             count;
    int             in_flight;
    int64_t         timeout_ns;   /* for one request, connect included */
    size_t          stack_bytes;  /* of a thread or a coroutine; 0 = the default */
    const atomic_bool *stop;      /* by a signal: start no more, end those in flight */
};

struct model {
    const char *name;     /* "threads" */
    const char *idea;     /* one line: who waits */
    const char *(*unavailable)(void);    /* why it can't run, or NULL; NULL: always can */
    bool one_at_a_time;   /* never more than one in flight, whatever is asked */
    bool thread_each;     /* needs a thread for each request in flight */
    bool process_each;    /* needs a process for each */

    /* Makes the requests, numbered from 0, and fills results[number] for each; on entry
       every result is zero but for its error, ECANCELED: never started. A request that
       fails is a result. Returns 0, or -errno if the model itself could not go on: then
       too every result tells what became of its request. Leaves no thread, process,
       descriptor or allocation behind. Called from the main thread, with SIGPIPE ignored:
       libraries write with calls that raise it; and SIGCHLD not: children are awaited. */
    int (*run)(const struct workload *workload, struct result *results);
};

/* All models, in the order in which they are taught; ends with NULL. */
extern const struct model *const models[];

/* The model called name, or NULL. */
const struct model *model_find(const char *name);

#endif
