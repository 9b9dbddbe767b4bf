#define _GNU_SOURCE    /* accept4 */
#include "tests/judge.h"

#include "kit/net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A peer waits in slices, and asks between them whether the answer can still do its part:
   once that has settled, nothing more will come. */

void peer_open(struct peer *peer, struct judge *judge)
{
    memset(peer, 0, sizeof *peer);
    peer->judge = judge;
    peer->fd = -1;
    peer->listen_fd = net_listen("127.0.0.1", 0, 128);
    ck_assert_int_ge(peer->listen_fd, 0);
    peer->port = net_port(peer->listen_fd);
    judge_port(judge, peer->port);
}

/* Awaits that fd is readable. Returns false if it is not when the answer has settled. */
static bool await_readable(struct judge *judge, int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    enum { SLICE_MS = 200, SETTLINGS = 3 };
    for (int i = 0; i < SETTLINGS; i++) {
        if (poll(&readable, 1, SLICE_MS) > 0)
            return true;
        judge_settle(judge, NULL);
    }
    return poll(&readable, 1, 0) > 0;
}

void peer_accept(struct peer *peer)
{
    struct judge *judge = peer->judge;
    if (!await_readable(judge, peer->listen_fd))
        judge_reject(judge, "%s without a connection to port %d",
                     judge->ended ? "ended" : "waits", peer->port);
    peer->fd = accept4(peer->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_msg(peer->fd >= 0, "accept: %s", strerror(errno));
}

void peer_send(struct peer *peer, const char *text)
{
    int error = net_send_all(peer->fd, text, strlen(text), clock_ns() + AWAIT_NS);
    ck_assert_int_ne(error, -ETIMEDOUT);
    if (error)
        judge_reject(peer->judge, "hung up while there was more to come");
}

void peer_expect(struct peer *peer, const char *text)
{
    enum { SHOWN_MOST = 40 };
    int shown = (int)strcspn(text, "\r\n");    /* a fact is one line */
    if (shown > SHOWN_MOST)
        shown = SHOWN_MOST;
    for (const char *next = text; *next; next++) {
        char byte;
        if (!await_readable(peer->judge, peer->fd))
            judge_reject(peer->judge, "did not send all of \"%.*s\"", shown, text);
        ssize_t received = recv(peer->fd, &byte, 1, 0);
        if (received <= 0)
            judge_reject(peer->judge, "hung up before all of \"%.*s\" was sent", shown,
                         text);
        if (byte != *next)
            judge_reject(peer->judge, "sent something else than \"%.*s\"", shown, text);
    }
}

void peer_expect_end(struct peer *peer)
{
    char buffer[4096];
    do
        if (!await_readable(peer->judge, peer->fd))
            judge_reject(peer->judge, "keeps a connection open that it needs no more");
    while (recv(peer->fd, buffer, sizeof buffer, 0) > 0);
}

static _Noreturn void drip(struct peer *peer, char byte, int64_t interval_ns)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ++*peer->dripped;    /* first: who has received the byte may look at once */
    while (send(peer->fd, &byte, 1, MSG_NOSIGNAL) == 1) {
        clock_sleep(interval_ns);
        ++*peer->dripped;
    }
    _exit(0);
}

void peer_drip(struct peer *peer, char byte, int64_t interval_ns)
{
    peer->dripped = mmap(NULL, sizeof *peer->dripped, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(peer->dripped, MAP_FAILED);
    *peer->dripped = 0;
    peer->dripper = fork();
    ck_assert_int_ge(peer->dripper, 0);
    if (peer->dripper == 0)
        drip(peer, byte, interval_ns);
}

void peer_end(struct peer *peer)
{
    if (peer->dripper) {
        kill(peer->dripper, SIGKILL);    /* it has the connection open as well */
        waitpid(peer->dripper, NULL, 0);
        munmap(peer->dripped, sizeof *peer->dripped);
        peer->dripper = 0;
    }
    close(peer->fd);
    peer->fd = -1;
}

void peer_reset(struct peer *peer)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int error = setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ck_assert_int_eq(error, 0);
    peer_end(peer);
}
