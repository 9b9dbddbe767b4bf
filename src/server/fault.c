#include "server/fault.h"

#include "kit/array.h"
#include "server/handlers.h"

#include <string.h>
#include <sys/socket.h>

const char fault_kinds[] = "reset, close, truncate, stall or garbage";

/* evhttp shuts a connection down in good order before it closes it, whatever SO_LINGER
   says. To disconnect the socket first makes the kernel send the RST: connect(2). */
static void reset(struct visit *visit)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    connect(visit_fd(visit), &nobody, sizeof nobody);    /* cannot fail when connected */
    visit_drop(visit);
}

/* Sends the bytes as they are, past evhttp, which only knows whole replies. That they go
   out is likely, not certain; but then a fault it is in any case. */
static void hang_up(struct visit *visit, const char *bytes)
{
    send(visit_fd(visit), bytes, strlen(bytes), MSG_NOSIGNAL);
    visit_drop(visit);
}

/* A whole head, and a tenth of the body that it promises. The reply to HEAD has no body
   that could be cut, so its head is. */
static void cut_short(struct visit *visit)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Le";
    static const char body[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 100\r\n\r\ncut short\n";
    hang_up(visit, visit->method == EVHTTP_REQ_HEAD ? head : body);
}

static void send_garbage(struct visit *visit)
{
    hang_up(visit, "\x16\x03\x01 this is not HTTP\r\n\r\n");
}

static const struct {
    const char   *name;
    fault_strike *strike;
} kinds[] = {
    {"reset", reset},       {"close", visit_drop},     {"truncate", cut_short},
    {"stall", visit_stall}, {"garbage", send_garbage},
};

fault_strike *fault_find(const char *kind, size_t length)
{
    for (size_t i = 0; i < LENGTH(kinds); i++)
        if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, kind, length) == 0)
            return kinds[i].strike;
    return NULL;
}

void fault_serve(struct visit *visit)
{
    fault_strike *strike = fault_find(visit->argument, strlen(visit->argument));
    if (strike)
        strike(visit);
    else
        visit_say(visit, 400, "fault: '%.40s' is not %s\n", visit->argument, fault_kinds);
}
