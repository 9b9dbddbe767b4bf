#include "whowaits/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RING_GETEVENTS = 1 };    /* of <linux/io_uring.h>, which need not be there */
enum { ESTABLISHED = 1, SYN_SENT = 2, CLOSE_WAIT = 8 };    /* tcp_states.h */

static int compare(const void *a, const void *b)
{
    const struct socket_entry *left = a, *right = b;
    return (left->inode > right->inode) - (left->inode < right->inode);
}

static int append(struct sockets *sockets, const struct socket_entry *entry)
{
    /* Grown whenever the count is a power of two. */
    if ((sockets->count & (sockets->count - 1)) == 0) {
        size_t room = sockets->count ? 2 * (size_t)sockets->count : 1;
        void *grown = realloc(sockets->entries, room * sizeof *entry);
        if (!grown)
            return -ENOMEM;
        sockets->entries = grown;
    }
    sockets->entries[sockets->count++] = *entry;
    return 0;
}

/* Reads a table as proc_net_tcp.txt of the kernel describes it. */
static int read_table(struct sockets *sockets, const char *path, int port)
{
    FILE *file = fopen(path, "re");
    char line[512];
    int error = file ? 0 : -errno;
    while (!error && fgets(line, sizeof line, file)) {
        unsigned remote_port, state, unsent, unread;
        uint64_t inode;
        if (sscanf(line,
                   " %*d: %*[0-9A-F]:%*x %*[0-9A-F]:%x %x %x:%x %*x:%*x %*x %*u %*d "
                   "%" SCNu64,
                   &remote_port, &state, &unsent, &unread, &inode) != 5)
            continue;
        bool open = state == ESTABLISHED || state == SYN_SENT || state == CLOSE_WAIT;
        if ((int)remote_port != port || !open)
            continue;
        /* The peer's end counts as a byte until it has been read. */
        struct socket_entry entry = {.inode = inode, .unread = (int64_t)unread,
                                     .under_way = unsent > 0};
        if (state == CLOSE_WAIT && entry.unread > 0)
            entry.unread--;
        error = append(sockets, &entry);
    }
    if (file)
        fclose(file);
    return error;
}

int sockets_list(struct sockets *sockets, int port)
{
    *sockets = (struct sockets){0};
    int error = read_table(sockets, "/proc/self/net/tcp", port);
    if (!error)    /* here stand IPv4 connections of IPv6 sockets */
        error = read_table(sockets, "/proc/self/net/tcp6", port);
    if (error && error != -ENOENT) {    /* a kernel may have no IPv6 */
        sockets_free(sockets);
        return error;
    }
    if (sockets->count > 0)
        qsort(sockets->entries, (size_t)sockets->count, sizeof *sockets->entries,
              compare);
    return 0;
}

void sockets_free(struct sockets *sockets)
{
    free(sockets->entries);
    *sockets = (struct sockets){0};
}

/* The entry of that inode, or NULL. */
static struct socket_entry *find_inode(const struct sockets *sockets, uint64_t inode)
{
    struct socket_entry key = {.inode = inode};
    if (sockets->count == 0)
        return NULL;
    return bsearch(&key, sockets->entries, (size_t)sockets->count, sizeof key, compare);
}

static struct socket_entry *find_link(const struct sockets *sockets, const char *path)
{
    char text[64];
    uint64_t inode;
    ssize_t length = readlink(path, text, sizeof text - 1);
    if (length < 0)
        return NULL;
    text[length] = '\0';
    return sscanf(text, "socket:[%" SCNu64, &inode) == 1 ? find_inode(sockets, inode)
                                                         : NULL;
}

int sockets_hold(struct sockets *sockets, pid_t pid, pid_t tid)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task/%d/fd", (int)pid, (int)tid);
    DIR *directory = opendir(path);
    if (!directory)
        return -errno;
    int held = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        snprintf(path, sizeof path, "/proc/%d/task/%d/fd/%s", (int)pid, (int)tid,
                 entry->d_name);
        struct socket_entry *found = find_link(sockets, path);
        held += found && found->holder != pid;    /* else by a second descriptor */
        if (found)
            found->holder = pid;
    }
    closedir(directory);
    return held;
}

/* --- Who waits for them ------------------------------------------------------------- */

struct watcher {
    struct sockets    *sockets;
    const struct call *call;
    int                watched;
};

static void mark(struct watcher *watcher, struct socket_entry *entry)
{
    if (entry)
        entry->watched = true;
    watcher->watched += entry != NULL;
}

static void mark_source(void *context, int fd, uint64_t inode)
{
    struct watcher *watcher = context;
    char path[CALL_PATH];
    call_path(watcher->call, path, "fd", fd);
    mark(watcher, inode ? find_inode(watcher->sockets, inode)
                        : find_link(watcher->sockets, path));
}

static void mark_ring(struct watcher *watcher)
{
    const struct call *call = watcher->call;
    bool waits = call->arguments[2] > 0 && (call->arguments[3] & RING_GETEVENTS);
    for (int i = 0; waits && i < watcher->sockets->count; i++) {
        struct socket_entry *entry = &watcher->sockets->entries[i];
        if (entry->holder == call->pid && !entry->watched)
            mark(watcher, entry);
    }
}

int sockets_watch(struct sockets *sockets, const struct call *call)
{
    struct watcher watcher = {.sockets = sockets, .call = call};
    if (call->kind == CALL_RING)
        mark_ring(&watcher);
    else
        call_sources(call, mark_source, &watcher);
    return watcher.watched;
}
