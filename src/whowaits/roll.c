#include "whowaits/roll.h"

#include "whowaits/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a status file of /proc says. */
struct status {
    char    name[ROLL_NAME];
    char    state;
    int     parent;
    int64_t rss_kib, woke;
};

static bool read_status(const char *path, struct status *status)
{
    char line[256];
    *status = (struct status){.state = 'X'};
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Name:\t%15[^\n]", status->name);
        sscanf(line, "State:\t%c", &status->state);
        sscanf(line, "PPid:\t%d", &status->parent);
        sscanf(line, "VmRSS:\t%" SCNd64, &status->rss_kib);
        sscanf(line, "voluntary_ctxt_switches:\t%" SCNd64, &status->woke);
    }
    fclose(file);
    return status->state != 'X';
}

static bool is_number(const char *text)
{
    return strspn(text, "0123456789") == strlen(text);
}

/* --- Who descends from whom --------------------------------------------------------- */

struct kin {
    pid_t pid, parent;
    bool  ours;
};

struct family {
    struct kin *kin;
    int         count;
};

static int append(struct family *family, const struct kin *kin)
{
    if ((family->count & (family->count - 1)) == 0) {    /* a power of two */
        size_t room = family->count ? 2 * (size_t)family->count : 1;
        void *grown = realloc(family->kin, room * sizeof *kin);
        if (!grown)
            return -ENOMEM;
        family->kin = grown;
    }
    family->kin[family->count++] = *kin;
    return 0;
}

/* Lists all processes of the machine. */
static int read_family(struct family *family)
{
    *family = (struct family){0};
    DIR *proc = opendir("/proc");
    if (!proc)
        return -errno;
    int error = 0;
    struct dirent *entry;
    while (!error && (entry = readdir(proc)) != NULL) {
        char path[64];
        struct status status;
        snprintf(path, sizeof path, "/proc/%.20s/status", entry->d_name);
        if (is_number(entry->d_name) && read_status(path, &status)) {
            struct kin kin = {.pid = atoi(entry->d_name), .parent = status.parent};
            error = append(family, &kin);
        }
    }
    closedir(proc);
    return error;
}

static bool is_ours(const struct family *family, pid_t pid)
{
    for (int i = 0; i < family->count; i++)
        if (family->kin[i].pid == pid)
            return family->kin[i].ours;
    return false;
}

/* Generation by generation, until there is no further one. */
static void mark_descendants(struct family *family, pid_t ancestor, pid_t except)
{
    bool more = true;
    while (more) {
        more = false;
        for (int i = 0; i < family->count; i++) {
            struct kin *kin = &family->kin[i];
            if (kin->ours || kin->pid == except)
                continue;
            kin->ours = kin->parent == ancestor || is_ours(family, kin->parent);
            more = more || kin->ours;
        }
    }
}

int roll_processes(pid_t ancestor, pid_t except, pid_t **pids)
{
    struct family family;
    int count = 0;
    int error = read_family(&family);
    *pids = error ? NULL : calloc((size_t)family.count + 1, sizeof **pids);
    if (!error && !*pids)
        error = -ENOMEM;
    if (!error)
        mark_descendants(&family, ancestor, except);
    for (int i = 0; i < family.count && !error; i++)
        if (family.kin[i].ours)
            (*pids)[count++] = family.kin[i].pid;
    free(family.kin);
    return error ? error : count;
}

/* --- The roll ----------------------------------------------------------------------- */

static int64_t read_cpu_ns(pid_t pid, pid_t tid)
{
    char path[64];
    int64_t used_ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)tid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%" SCNd64, &used_ns) != 1)
        used_ns = 0;
    if (file)
        fclose(file);
    return used_ns;
}

static int add_thread(struct roll *roll, const struct roll_thread *thread)
{
    if ((roll->count & (roll->count - 1)) == 0) {
        size_t room = roll->count ? 2 * (size_t)roll->count : 1;
        void *grown = realloc(roll->threads, room * sizeof *thread);
        if (!grown)
            return -ENOMEM;
        roll->threads = grown;
    }
    roll->threads[roll->count++] = *thread;
    return 0;
}

/* What its process holds is looked up once: *held is -1 until then. */
static int call_thread(struct roll *roll, pid_t pid, pid_t tid, int *held,
                       struct sockets *sockets)
{
    char path[64];
    struct status status;
    struct roll_thread thread = {.pid = pid, .tid = tid};
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
    if (!read_status(path, &status) || status.state == 'Z')
        return 0;    /* gone; a first thread that ends before the others stays as a Z */
    if (*held < 0)
        *held = sockets_hold(sockets, pid, tid);
    if (*held < 0)
        *held = 0;    /* one may not look; its calls tell */
    thread.held = *held;
    call_read(&thread.call, pid, tid);
    thread.watched = sockets_watch(sockets, &thread.call);
    memcpy(thread.name, status.name, sizeof thread.name);
    thread.state = status.state;
    thread.woke = status.woke;
    thread.cpu_ns = read_cpu_ns(pid, tid);
    return add_thread(roll, &thread);
}

static int call_process(struct roll *roll, pid_t pid, struct sockets *sockets)
{
    char path[64];
    struct status status;
    int before = roll->count, held = -1;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    int error = 0;
    struct dirent *entry;
    while (tasks && !error && (entry = readdir(tasks)) != NULL)
        if (is_number(entry->d_name))
            error = call_thread(roll, pid, atoi(entry->d_name), &held, sockets);
    if (tasks)
        closedir(tasks);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (read_status(path, &status))
        roll->rss_kib += status.rss_kib;
    roll->processes += roll->count > before;
    return error;
}

static void count_sockets(struct roll *roll, const struct sockets *sockets)
{
    for (int i = 0; i < sockets->count; i++)
        if (sockets->entries[i].holder != 0) {
            roll->sockets++;
            roll->watched += sockets->entries[i].watched;
            roll->unread += sockets->entries[i].unread > 0;
            roll->under_way += sockets->entries[i].under_way;
        }
}

int roll_call(struct roll *roll, pid_t ancestor, pid_t except, int port)
{
    pid_t *pids = NULL;
    struct sockets sockets;
    *roll = (struct roll){0};
    int error = sockets_list(&sockets, port);
    int count = error ? error : roll_processes(ancestor, except, &pids);
    for (int i = 0; i < count && !error; i++)
        error = call_process(roll, pids[i], &sockets);
    count_sockets(roll, &sockets);
    sockets_free(&sockets);
    free(pids);
    if (count < 0)
        error = count;
    if (error)
        roll_free(roll);
    return error;
}

void roll_free(struct roll *roll)
{
    free(roll->threads);
    *roll = (struct roll){0};
}

bool roll_asleep(const struct roll_thread *thread)
{
    return thread->state == 'S' && thread->call.kind != CALL_NONE;
}

const struct roll_thread *roll_find(const struct roll *roll, pid_t tid)
{
    for (int i = 0; i < roll->count; i++)
        if (roll->threads[i].tid == tid)
            return &roll->threads[i];
    return NULL;
}

int roll_count(const struct roll *roll, const char *call)
{
    int count = 0;
    for (int i = 0; i < roll->count; i++)
        count += roll_asleep(&roll->threads[i]) &&
                 strcmp(roll->threads[i].call.name, call) == 0;
    return count;
}
