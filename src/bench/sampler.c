#include "bench/sampler.h"

#include "kit/call.h"
#include "kit/clock.h"
#include "kit/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Spans -------------------------------------------------------------------------- */

static int keep(struct sampler *sampler, const struct span *span)
{
    size_t count = sampler->span_count;
    if (span->to_ns <= span->from_ns)
        return 0;
    if ((count & (count - 1)) == 0) {    /* a power of two: to be doubled */
        size_t room = count ? 2 * count : 1;
        void *grown = realloc(sampler->spans, room * sizeof *span);
        if (!grown)
            return -ENOMEM;
        sampler->spans = grown;
    }
    sampler->spans[sampler->span_count++] = *span;
    return 0;
}

/* Ends the span here, and begins one like it, with nothing used yet. */
static int cut(struct sampler *sampler, struct span *span)
{
    int error = keep(sampler, span);
    span->from_ns = span->to_ns;
    span->cpu_ns = span->ready_ns = 0;
    return error;
}

/* What was used up to now_ns is the span's. In a quiet one it has a span of its own. */
static int stretch(struct sampler *sampler, struct span *span, int64_t now_ns,
                   int64_t cpu_ns, int64_t ready_ns)
{
    bool quiet = span->state == SPAN_ASLEEP || span->state == SPAN_ALL;
    bool apart = quiet && (cpu_ns > 0 || ready_ns > 0);
    int error = apart ? cut(sampler, span) : 0;
    span->to_ns = now_ns;
    span->cpu_ns += cpu_ns;
    span->ready_ns += ready_ns;
    if (!error && apart)
        error = cut(sampler, span);
    return error;
}

/* --- Threads ------------------------------------------------------------------------ */

static bool is_gone(int error)
{
    return error == -ENOENT || error == -ESRCH;
}

/* Its first span goes back to the look before this one, for it was born after that. */
static int add_thread(struct sampler *sampler, int process, pid_t tid)
{
    struct sampler_thread *thread = &sampler->threads[sampler->thread_count];
    struct task_look look;
    if (sampler->thread_count == SAMPLER_THREADS)
        return 0;
    *thread = (struct sampler_thread){.tid = tid, .process = process, .listed = true};
    int error = task_open(&thread->task, sampler->processes[process].pid, tid);
    if (error)
        return is_gone(error) ? 0 : error;
    error = task_look(&thread->task, &look);
    if (error || look.state == TASK_ENDED) {
        task_close(&thread->task);
        return is_gone(error) ? 0 : error;
    }
    thread->number = sampler->numbers++;
    thread->span = (struct span){
        .process = process,
        .thread = thread->number,
        .from_ns = sampler->look_ns,
        .to_ns = sampler->look_ns,
        .state = SPAN_STARTED,
    };
    sampler->thread_count++;
    return 0;
}

static int look_at(struct sampler *sampler, struct sampler_thread *thread, int64_t now_ns)
{
    static const enum span_state states[] = {[TASK_RUNNING] = SPAN_RUNNING,
                                             [TASK_READY] = SPAN_READY,
                                             [TASK_ASLEEP] = SPAN_ASLEEP};
    struct task_look look;
    struct span *span = &thread->span;
    int error = task_look(&thread->task, &look);
    thread->listed = !error && look.state != TASK_ENDED;
    if (!thread->listed)
        return is_gone(error) ? 0 : error;
    error = stretch(sampler, span, now_ns, look.cpu_ns - thread->look.cpu_ns,
                    look.ready_ns - thread->look.ready_ns);
    if (!error && (span->state != states[look.state] || span->call != look.call))
        error = cut(sampler, span);
    span->state = states[look.state];
    span->call = look.call;
    thread->look = look;
    return error;
}

/* It ran until it ended; how long, nobody saw. The last thread takes its place. */
static int remove_thread(struct sampler *sampler, struct sampler_thread *thread,
                         int64_t now_ns)
{
    int error = cut(sampler, &thread->span);
    thread->span.state = SPAN_ENDED;
    thread->span.call = 0;
    thread->span.to_ns = now_ns;
    thread->span.cpu_ns = thread->span.ready_ns = -1;
    if (!error)
        error = keep(sampler, &thread->span);
    task_close(&thread->task);
    *thread = sampler->threads[--sampler->thread_count];
    return error;
}

static int remove_gone(struct sampler *sampler, int64_t now_ns)
{
    int error = 0;
    for (int i = sampler->thread_count - 1; i >= 0 && !error; i--)
        if (!sampler->threads[i].listed)
            error = remove_thread(sampler, &sampler->threads[i], now_ns);
    return error;
}

/* --- Processes ---------------------------------------------------------------------- */

static int add_process(struct sampler *sampler, pid_t pid)
{
    char path[64];
    struct sampler_process *process = &sampler->processes[sampler->process_count];
    for (int i = 0; i < sampler->process_count; i++)
        if (sampler->processes[i].pid == pid)
            return 0;
    if (sampler->process_count == SAMPLER_PROCESSES)
        return 0;
    *process = (struct sampler_process){.pid = pid};
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    process->tasks = opendir(path);
    if (!process->tasks)
        return is_gone(-errno) ? 0 : -errno;
    if (clock_getcpuclockid(pid, &process->clock) != 0)
        process->clock = -1;    /* gone meanwhile; it has hardly used any */
    sampler->process_count++;
    return 0;
}

static void end_process(struct sampler_process *process)
{
    if (process->pid != 0)
        closedir(process->tasks);
    process->pid = 0;    /* its number may come again, and it is another one then */
}

/* What it has used, as far as was seen. A zombie's clock still stands. */
static int64_t read_cpu_ns(struct sampler_process *process)
{
    struct timespec used;
    if (process->pid != 0 && clock_gettime(process->clock, &used) == 0)
        process->cpu_ns = (int64_t)used.tv_sec * CLOCK_S + used.tv_nsec;
    return process->cpu_ns;
}

/* The file has the process numbers of the first thread's children. */
static int list_children(struct sampler *sampler)
{
    char text[SAMPLER_PROCESSES * 12];
    ssize_t got = pread(sampler->children_fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    int error = 0;
    char *rest = text;
    for (char *word; !error && (word = strtok_r(rest, " ", &rest)) != NULL;)
        error = add_process(sampler, (pid_t)strtol(word, NULL, 10));
    return error;
}

static struct sampler_thread *find_thread(struct sampler *sampler, int process,
                                          pid_t tid)
{
    for (int i = 0; i < sampler->thread_count; i++)
        if (sampler->threads[i].tid == tid && sampler->threads[i].process == process)
            return &sampler->threads[i];
    return NULL;
}

static int list_threads(struct sampler *sampler, int number)
{
    struct sampler_process *process = &sampler->processes[number];
    struct dirent *entry;
    int error = 0;
    bool any = false;
    rewinddir(process->tasks);    /* what has changed in it shows only then */
    while (!error && (entry = readdir(process->tasks)) != NULL) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid == 0)
            continue;    /* . and .. */
        any = true;
        struct sampler_thread *thread = find_thread(sampler, number, tid);
        if (thread)
            thread->listed = true;
        else
            error = add_thread(sampler, number, tid);
    }
    if (!any)
        end_process(process);
    return error;
}

/* --- All of them -------------------------------------------------------------------- */

/* The first process, looked at once, shows what may be seen at all. */
static const char *probe(pid_t pid, int *error)
{
    struct task task;
    struct task_look look;
    *error = task_open(&task, pid, pid);
    if (!*error) {
        *error = task_look(&task, &look);
        task_close(&task);
    }
    if (*error == -EACCES || *error == -EPERM)
        return "may not see in which call it sleeps (/proc/PID/syscall)";
    if (is_gone(*error) && access("/proc/self/syscall", F_OK) == 0 &&
        access("/proc/self/schedstat", F_OK) == 0)
        return "gone before it could be looked at";
    return "can't see in which call it sleeps (/proc/PID/syscall and schedstat)";
}

int sampler_begin(struct sampler *sampler, pid_t pid, char why[SAMPLER_WHY])
{
    char path[64];
    int error;
    *sampler = (struct sampler){.children_fd = -1, .look_ns = clock_ns()};
    const char *refused = probe(pid, &error);
    if (!error) {
        refused = "can't see its children (/proc/PID/task/TID/children)";
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
        sampler->children_fd = open(path, O_RDONLY | O_CLOEXEC);
        error = sampler->children_fd < 0 ? -errno : add_process(sampler, pid);
    }
    if (error)
        snprintf(why, SAMPLER_WHY, "%s: %s", refused, strerror(-error));
    sampler->all = (struct span){.process = -1, .thread = -1, .state = SPAN_ALL,
                                 .from_ns = sampler->look_ns, .to_ns = sampler->look_ns};
    return error;
}

/* Who runs has its time added up at the next tick of the kernel's clock only, or when it
   stops: a look that finds nothing new then leaves the time open, for the next one. */
static int add_up(struct sampler *sampler, int64_t now_ns)
{
    int64_t cpu_ns = 0;
    bool running = false;
    for (int i = 0; i < sampler->process_count; i++)
        cpu_ns += read_cpu_ns(&sampler->processes[i]);
    for (int i = 0; i < sampler->thread_count; i++)
        running = running || sampler->threads[i].span.state == SPAN_RUNNING;
    int64_t used_ns = cpu_ns - sampler->cpu_ns;
    sampler->cpu_ns = cpu_ns;
    if (running && used_ns == 0)
        return 0;
    return stretch(sampler, &sampler->all, now_ns, used_ns, 0);
}

int sampler_look(struct sampler *sampler)
{
    for (int i = 0; i < sampler->thread_count; i++)
        sampler->threads[i].listed = false;
    int error = list_children(sampler);
    for (int i = 0; i < sampler->process_count && !error; i++)
        if (sampler->processes[i].pid != 0)
            error = list_threads(sampler, i);
    int64_t now_ns = clock_ns();    /* all are known: to look at them is quick now */
    for (int i = 0; i < sampler->thread_count && !error; i++)
        if (sampler->threads[i].listed)
            error = look_at(sampler, &sampler->threads[i], now_ns);
    if (!error)
        error = add_up(sampler, now_ns);
    if (!error)
        error = remove_gone(sampler, now_ns);
    sampler->look_ns = now_ns;
    return error ? error : sampler->thread_count > 0 ? 0 : -ESRCH;
}

int sampler_end(struct sampler *sampler)
{
    sampler->all.to_ns = sampler->look_ns;
    int error = keep(sampler, &sampler->all);
    for (int i = 0; i < sampler->thread_count; i++) {
        if (!error)
            error = keep(sampler, &sampler->threads[i].span);
        task_close(&sampler->threads[i].task);
    }
    sampler->thread_count = 0;
    for (int i = 0; i < sampler->process_count; i++)
        end_process(&sampler->processes[i]);
    if (sampler->children_fd >= 0)
        close(sampler->children_fd);
    sampler->children_fd = -1;
    return error;
}

void sampler_free(struct sampler *sampler)
{
    free(sampler->spans);
    sampler->spans = NULL;
    sampler->span_count = 0;
}

/* --- CSV ---------------------------------------------------------------------------- */

const char sampler_csv_header[] =
    "model,process,thread,from_ns,to_ns,state,call,cpu_ns,ready_ns";

/* A number and the comma before it; or nothing after that, where there is none. */
static void put(FILE *csv, bool known, int64_t value)
{
    putc(',', csv);
    if (known)
        fprintf(csv, "%" PRId64, value);
}

static void write_call(FILE *csv, const struct span *span)
{
    const char *name = call_name(span->call);
    if (span->state != SPAN_ASLEEP)
        return;
    if (name)
        csv_text(csv, name);
    else if (span->call < 0)
        fputs("(kernel)", csv);    /* it sleeps there without having called */
    else
        fprintf(csv, "call %ld", span->call);
}

void sampler_write(const struct sampler *sampler, FILE *csv, const char *model,
                   int64_t zero_ns)
{
    static const char *const states[] = {"running", "ready", "asleep",
                                         "started", "ended", ""};
    for (size_t i = 0; i < sampler->span_count; i++) {
        const struct span *span = &sampler->spans[i];
        csv_text(csv, model);
        put(csv, span->process >= 0, span->process);
        put(csv, span->thread >= 0, span->thread);
        put(csv, true, span->from_ns - zero_ns);
        put(csv, true, span->to_ns - zero_ns);
        fprintf(csv, ",%s,", states[span->state]);
        write_call(csv, span);
        put(csv, span->cpu_ns >= 0, span->cpu_ns);
        put(csv, span->ready_ns >= 0 && span->state != SPAN_ALL, span->ready_ns);
        putc('\n', csv);
    }
}
