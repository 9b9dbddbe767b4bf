/* Stands between price_board and two calls of the thread library (-Wl,--wrap). As SHIM in
   the environment says:
     late     no thread starts before main joins one for the first time
     fail=N   the Nth pthread_create fails with EAGAIN; fail=all: each
   At the end it says on standard error how often which was called. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MOST = 1000 };

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __real_pthread_join(pthread_t, void **);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_join(pthread_t, void **);

struct start {
    void *(*run)(void *);
    void *arg;
};

/* All that follows is guarded by the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  first_join = PTHREAD_COND_INITIALIZER;
static bool            joining;
static int             asked, created, joined, joined_nothing;
static pthread_t       alive[THREADS_MOST];

static const char *mode(void)
{
    const char *text = getenv("SHIM");
    return text ? text : "";
}

static void *start_late(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    pthread_mutex_lock(&lock);
    while (strcmp(mode(), "late") == 0 && !joining)
        pthread_cond_wait(&first_join, &lock);
    pthread_mutex_unlock(&lock);
    return start.run(start.arg);
}

static bool must_fail(void)
{
    return strcmp(mode(), "fail=all") == 0 ||
           (strncmp(mode(), "fail=", 5) == 0 && asked == atoi(mode() + 5));
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return EAGAIN;
    *start = (struct start){run, arg};
    pthread_mutex_lock(&lock);
    asked++;
    int error = must_fail() || created - joined >= THREADS_MOST
                    ? EAGAIN
                    : __real_pthread_create(thread, attr, start_late, start);
    if (error) {
        *thread = pthread_self();    /* undefined, says POSIX: no zero to be relied on */
        free(start);
    } else {
        alive[created++ - joined] = *thread;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

/* Takes the thread off the list of those that can be joined. */
static bool take(pthread_t thread)
{
    int count = created - joined;
    for (int i = 0; i < count; i++) {
        if (pthread_equal(alive[i], thread)) {
            alive[i] = alive[count - 1];
            joined++;
            return true;
        }
    }
    joined_nothing++;
    return false;
}

int __wrap_pthread_join(pthread_t thread, void **value)
{
    pthread_mutex_lock(&lock);
    joining = true;
    pthread_cond_broadcast(&first_join);
    bool can_be_joined = take(thread);
    pthread_mutex_unlock(&lock);
    return can_be_joined ? __real_pthread_join(thread, value) : ESRCH;
}

__attribute__((destructor)) static void tell(void)
{
    dprintf(STDERR_FILENO, "shim: %d created, %d joined, %d joins of no thread\n",
            created, joined, joined_nothing);
}
