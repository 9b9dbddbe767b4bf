/* Work for real threads. A worker takes a job, does it, and rings a bell (an eventfd)
   that the loop hears; only the loop wakes coroutines. Whoever gives a job up leaves its
   copy of the argument to it, so nothing that a thread may still write to is ever freed
   early. */
#include "coro/scheduler.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    struct job   *next;
    struct coro  *waiter;          /* the loop's thread alone; NULL: given up */
    void        (*work)(void *);
    bool          done;            /* the loop's thread alone */
    _Alignas(max_align_t) char copy[];
};

struct worker {
    struct pool *pool;
    pthread_t    thread;
    bool         busy;    /* guarded by the pool's mutex */
};

struct pool {
    pthread_mutex_t mutex;         /* guards all that follows, but for event and jobs */
    pthread_cond_t  work_came;
    struct job     *waiting, **waiting_end;
    struct job     *done;
    int             started, idle, most;
    int             holders;       /* the loop, and threads that will look here again */
    bool            closing;
    int             bell;
    struct event   *event;         /* the loop hears the bell; only while there are jobs,
                                      or it would not see that it waits in vain */
    int             jobs;
    struct worker   workers[];
};

/* The last one out frees it. Called with the mutex held, which it gives back. */
static void pool_leave(struct pool *pool)
{
    bool last = --pool->holders == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&pool->work_came);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

/* Called with the mutex held. */
static struct job *take_job(struct pool *pool)
{
    while (!pool->waiting && !pool->closing) {
        pool->idle++;
        pthread_cond_wait(&pool->work_came, &pool->mutex);
        pool->idle--;
    }
    struct job *job = pool->closing ? NULL : pool->waiting;
    if (job) {
        pool->waiting = job->next;
        if (!pool->waiting)
            pool->waiting_end = &pool->waiting;
    }
    return job;
}

static void *work(void *arg)
{
    struct worker *self = arg;
    struct pool *pool = self->pool;
    pthread_mutex_lock(&pool->mutex);
    struct job *job;
    while ((job = take_job(pool)) != NULL) {
        self->busy = true;
        pthread_mutex_unlock(&pool->mutex);
        job->work(job->copy);
        pthread_mutex_lock(&pool->mutex);
        self->busy = false;
        if (pool->closing) {
            free(job);    /* the loop is gone, and the bell with it */
            break;
        }
        job->next = pool->done;
        pool->done = job;
        uint64_t once = 1;
        ssize_t written = write(pool->bell, &once, sizeof once);
        (void)written;    /* it fails only where it rings already */
    }
    pool_leave(pool);
    return NULL;
}

/* The loop has heard the bell. */
static void on_bell(evutil_socket_t bell, short what, void *arg)
{
    struct pool *pool = arg;
    (void)what;
    uint64_t rings;
    ssize_t got = read(bell, &rings, sizeof rings);
    (void)got;    /* the list below tells all there is to know */
    pthread_mutex_lock(&pool->mutex);
    struct job *job = pool->done;
    pool->done = NULL;
    pthread_mutex_unlock(&pool->mutex);
    while (job) {
        struct job *next = job->next;
        job->done = true;
        if (job->waiter)
            coro_wake(job->waiter, 0);    /* which frees the job */
        else
            free(job);
        job = next;
    }
}

static int pool_make(struct coro_loop *loop)
{
    size_t workers_bytes = (size_t)loop->workers * sizeof(struct worker);
    struct pool *pool = calloc(1, sizeof *pool + workers_bytes);
    if (!pool)
        return -ENOMEM;
    pool->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->bell < 0) {
        int error = -errno;
        free(pool);
        return error;
    }
    pool->event = event_new(loop->base, pool->bell, EV_READ | EV_PERSIST, on_bell, pool);
    if (!pool->event) {
        close(pool->bell);
        free(pool);
        return -ENOMEM;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work_came, NULL);
    pool->waiting_end = &pool->waiting;
    pool->most = loop->workers;
    pool->holders = 1;
    loop->pool = pool;
    return 0;
}

/* One thread more, if nobody is free for the job. Called with the mutex held. It inherits
   our mask: all signals are for those who expect them. */
static int add_worker(struct pool *pool)
{
    int queued = 1;
    for (struct job *job = pool->waiting; job && queued <= pool->idle; job = job->next)
        queued++;
    if (pool->idle >= queued || pool->started == pool->most)
        return 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct worker *worker = &pool->workers[pool->started];
    worker->pool = pool;
    int error = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return pool->started > 0 ? 0 : -error;    /* the others will come to it */
    pool->started++;
    pool->holders++;
    return 0;
}

static int submit(struct pool *pool, struct job *job)
{
    if (pool->jobs == 0 && event_add(pool->event, NULL) < 0)
        return -ENOMEM;
    pthread_mutex_lock(&pool->mutex);
    int error = add_worker(pool);
    if (!error) {
        job->next = NULL;
        *pool->waiting_end = job;
        pool->waiting_end = &job->next;
        pool->jobs++;
        pthread_cond_signal(&pool->work_came);
    }
    pthread_mutex_unlock(&pool->mutex);
    if (pool->jobs == 0)
        event_del(pool->event);
    return error;
}

/* No thread has begun it? Then none will. Else it is freed when it is done. */
static void give_up(struct pool *pool, struct job *job)
{
    job->waiter = NULL;
    pthread_mutex_lock(&pool->mutex);
    struct job **link = &pool->waiting;
    while (*link && *link != job)
        link = &(*link)->next;
    if (*link) {
        *link = job->next;
        if (!*link)
            pool->waiting_end = link;
        free(job);
    }
    pthread_mutex_unlock(&pool->mutex);
}

int coro_offload(struct coro *me, void (*job_work)(void *arg), void *arg, size_t size,
                 int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (!error && !me->loop->pool)
        error = pool_make(me->loop);
    if (error)
        return error;
    struct pool *pool = me->loop->pool;
    struct job *job = malloc(sizeof *job + size);
    if (!job)
        return -ENOMEM;
    *job = (struct job){.waiter = me, .work = job_work};
    if (size > 0)
        memcpy(job->copy, arg, size);
    error = submit(pool, job);
    if (error) {
        free(job);
        return error;
    }
    int outcome = coro_pause(me, -1, 0, deadline_ns);
    if (job->done && size > 0)
        memcpy(arg, job->copy, size);
    if (job->done) {
        outcome = 0;
        free(job);
    } else {
        give_up(pool, job);
    }
    if (--pool->jobs == 0)
        event_del(pool->event);
    return outcome;
}

static void free_jobs(struct job *job)
{
    while (job) {
        struct job *next = job->next;
        free(job);
        job = next;
    }
}

/* Idle workers end at once, and are awaited. One at work may never end: it is left alone
   with its job, and frees what it holds if it does. No coroutine waits for a job by now.
   */
void coro_pool_free(struct pool *pool)
{
    event_free(pool->event);
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    free_jobs(pool->done);
    close(pool->bell);
    pthread_cond_broadcast(&pool->work_came);
    for (int i = 0; i < pool->started; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->busy) {
            pthread_detach(worker->thread);
            continue;
        }
        pthread_mutex_unlock(&pool->mutex);    /* it needs the mutex to end */
        pthread_join(worker->thread, NULL);
        pthread_mutex_lock(&pool->mutex);
    }
    pool_leave(pool);
}
