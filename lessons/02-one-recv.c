/* BAD, and lesson 02 shows why: takes what one recv(2) returns for the whole reply. */
#include "kit/clock.h"
#include "kit/http.h"
#include "kit/net.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Returns a connection on which url has been asked for, or -1. */
static int ask(const char *text)
{
    struct http_url url;
    struct endpoint server;
    char request[HTTP_REQUEST];
    int64_t deadline_ns = clock_ns() + 30LL * CLOCK_S;
    if (http_parse_url(text, &url) || net_resolve(url.host, url.port, &server) != 0)
        return -1;
    int length = http_write_request(request, sizeof request, server.name, url.target, 0);
    int fd = length < 0 ? -1 : net_connect(&server, deadline_ns);
    if (fd < 0 || net_send_all(fd, request, (size_t)length, deadline_ns) == 0)
        return fd;
    close(fd);
    return -1;
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? ask(argv[1]) : -1;
    if (fd < 0) {
        fprintf(stderr, "one-recv: usage: one-recv URL, where a server listens\n");
        return 2;
    }
    char reply[4096];
    ssize_t received = recv(fd, reply, sizeof reply - 1, 0);    /* BAD: once */
    close(fd);
    if (received < 0) {
        perror("one-recv: recv");
        return 1;
    }
    reply[received] = '\0';
    const char *body = strstr(reply, "\r\n\r\n");
    printf("%d bytes in the body\n", body ? (int)strlen(body + 4) : 0);
    return 0;
}
