#include "kit/get.h"

#include "kit/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int get_ask(const struct endpoint *endpoint, const char *path, int64_t deadline_ns)
{
    char request[HTTP_REQUEST];
    int length = http_write_request(request, sizeof request, endpoint->name, path, 0);
    if (length < 0)
        return length;
    int fd = net_connect(endpoint, deadline_ns);
    int error = fd < 0 ? fd : net_send_all(fd, request, (size_t)length, deadline_ns);
    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

/* Without closing. */
static int receive(int fd, int64_t deadline_ns, char *reply, size_t size)
{
    struct http_reader reader;
    http_reader_init(&reader);
    size_t used = 0;
    int progress = HTTP_MORE;
    while (progress == HTTP_MORE) {
        char chunk[1024];
        ssize_t got = net_recv(fd, chunk, sizeof chunk, deadline_ns);
        if (got < 0)
            return (int)got;
        progress = got == 0 ? http_reader_end(&reader)
                            : http_reader_feed(&reader, chunk, (size_t)got);
        size_t room = size - 1 - used;
        size_t kept = (size_t)got < room ? (size_t)got : room;
        memcpy(reply + used, chunk, kept);
        used += kept;
        reply[used] = '\0';
    }
    return progress < 0 ? progress : reader.status;
}

int get_reply(int fd, int64_t deadline_ns, char *reply, size_t size)
{
    int status = receive(fd, deadline_ns, reply, size);
    close(fd);
    return status;
}

int64_t get_number(const char *reply, const char *name)
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *found = strstr(reply, key);
    return found ? strtoll(found + strlen(key), NULL, 10) : -1;
}
