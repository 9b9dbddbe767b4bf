/* For a shim: stands between an answer and its threads. One thread has the turn and runs
   until it waits for another, or for something outside; then the next has it, in the
   order in which they became ready. Whatever happens, happens at every run. What POSIX
   leaves open goes as badly as it may:
       a thread begins only when the one that started it waits;
       a signal wakes one of the signaller's own kind (started with the same function), if
       one sleeps there; who is woken runs when all that were ready before have run;
       with SHIM=spurious the first wait of each thread ends for no reason;
       with SHIM=unlock whoever unlocks a mutex hands over the turn; the first time
       after it was outside, all who sleep on a condition have woken for no reason;
       with SHIM=late whoever is about to sleep on a condition, and still has the
       mutex, is held up until another wants a mutex that is taken, or signals.
   SHIM may be several of these words.
   A shim is one file, so it includes this one, and wraps what it names below: the
   exercise's "wrap" must list the same functions. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __real_pthread_join(pthread_t, void **);
int __real_pthread_mutex_lock(pthread_mutex_t *);
int __real_pthread_mutex_unlock(pthread_mutex_t *);
int __real_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __real_pthread_cond_signal(pthread_cond_t *);
int __real_sem_wait(sem_t *);

int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_join(pthread_t, void **);
int __wrap_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *,
                                  const struct timespec *);
int __wrap_pthread_cond_signal(pthread_cond_t *);
int __wrap_pthread_cond_broadcast(pthread_cond_t *);
int __wrap_sem_wait(sem_t *);

struct actor {
    void          *(*work)(void *);    /* what it was started with: its kind */
    void           *arg;
    pthread_cond_t *asleep_on;         /* while it is in that list */
    pthread_cond_t  turn;              /* signalled when it is given the turn */
    bool            has_waited;
    bool            from_outside;      /* and has unlocked nothing since */
    struct actor   *next;              /* in the list that it stands in */
};

struct list {
    struct actor *first;
};

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;    /* guards all that follows */
static struct actor   *running;     /* who has the turn, NULL: nobody is ready */
static struct list     ready, blocked, asleep;    /* blocked: by a mutex */
static struct list     late;        /* to fall asleep: see SHIM=late */

static struct actor main_actor = {.turn = PTHREAD_COND_INITIALIZER};
static _Thread_local struct actor *self;

static bool told(const char *word)
{
    const char *shim = getenv("SHIM");
    return shim && strstr(shim, word) != NULL;
}

static void append(struct list *list, struct actor *actor)
{
    struct actor **end = &list->first;
    while (*end)
        end = &(*end)->next;
    actor->next = NULL;
    *end = actor;
}

static struct actor *unlink_one(struct actor **link)
{
    struct actor *actor = *link;
    *link = actor->next;
    return actor;
}

/* All of these with the table locked. */

static void release(struct list *list)
{
    while (list->first)
        append(&ready, unlink_one(&list->first));
}

static void pass_turn(void)
{
    running = ready.first ? unlink_one(&ready.first) : NULL;
    if (running)
        __real_pthread_cond_signal(&running->turn);
}

static void await_turn(void)
{
    while (running != self)
        __real_pthread_cond_wait(&self->turn, &table);
}

static void become_ready(struct actor *actor)
{
    append(&ready, actor);
    if (!running)
        pass_turn();
}

/* Gives up the turn, and takes it again when all who were ready have had it. */
static void go_last(void)
{
    append(&ready, self);
    pass_turn();
    await_turn();
}

static void enter(void)
{
    if (!self) {    /* main, the first time: it has run all the while */
        self = &main_actor;
        running = self;
    }
    __real_pthread_mutex_lock(&table);
}

static void leave(void)
{
    __real_pthread_mutex_unlock(&table);
}

/* Around what waits for something else than another actor's call. */
static void step_out(void)
{
    enter();
    pass_turn();
    leave();
}

static void step_in(void)
{
    enter();
    self->from_outside = true;
    become_ready(self);
    await_turn();
    leave();
}

static void *run(void *arg)
{
    self = arg;
    __real_pthread_mutex_lock(&table);
    await_turn();
    leave();
    void *result = self->work(self->arg);
    step_out();
    free(self);
    return result;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*work)(void *), void *arg)
{
    struct actor *actor = malloc(sizeof *actor);
    if (!actor)
        return EAGAIN;
    *actor = (struct actor){.work = work, .arg = arg};
    pthread_cond_init(&actor->turn, NULL);
    enter();
    int error = __real_pthread_create(thread, attr, run, actor);
    if (error)
        free(actor);
    else
        become_ready(actor);
    leave();
    return error;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    step_out();
    int error = __real_pthread_join(thread, result);
    step_in();
    return error;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int error;
    enter();
    while ((error = pthread_mutex_trylock(mutex)) == EBUSY) {
        release(&late);
        append(&blocked, self);
        pass_turn();
        await_turn();
    }
    leave();
    return error;
}

/* Whoever waits for any mutex tries again in its turn. */
static int unlock(pthread_mutex_t *mutex)
{
    release(&blocked);
    return __real_pthread_mutex_unlock(mutex);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    enter();
    int error = unlock(mutex);
    if (told("unlock")) {
        if (self->from_outside)
            release(&asleep);
        self->from_outside = false;
        go_last();
    }
    leave();
    return error;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    enter();
    if (told("late")) {
        append(&late, self);
        pass_turn();
        await_turn();
    }
    unlock(mutex);
    bool first = !self->has_waited;
    self->has_waited = true;
    if (first && told("spurious")) {
        go_last();
    } else {
        self->asleep_on = cond;
        append(&asleep, self);
        pass_turn();
        await_turn();
    }
    leave();
    return __wrap_pthread_mutex_lock(mutex);
}

/* Ends at once: the judge sees from outside who looks again and again. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    (void)cond;
    (void)until;
    enter();
    unlock(mutex);
    go_last();
    leave();
    __wrap_pthread_mutex_lock(mutex);
    return ETIMEDOUT;
}

/* The link to the first who sleeps on cond, and was started like that one if it is not
   NULL; a link to NULL if there is none. */
static struct actor **find_asleep(const pthread_cond_t *cond, const struct actor *like)
{
    struct actor **link = &asleep.first;
    while (*link && ((*link)->asleep_on != cond || (like && (*link)->work != like->work)))
        link = &(*link)->next;
    return link;
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    enter();
    struct actor **link = find_asleep(cond, self);
    if (!*link)
        link = find_asleep(cond, NULL);
    if (*link)
        append(&ready, unlink_one(link));
    release(&late);
    leave();
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
    enter();
    for (struct actor **link; *(link = find_asleep(cond, NULL)) != NULL;)
        append(&ready, unlink_one(link));
    release(&late);
    leave();
    return 0;
}

int __wrap_sem_wait(sem_t *semaphore)
{
    step_out();
    int error = __real_sem_wait(semaphore);
    step_in();
    return error;
}
