#include "server/fault.h"

#include "kit/array.h"
#include "server/handlers.h"

#include <string.h>

const char fault_kinds[] = "reset, close, truncate, stall or garbage";

static void close_early(struct visit *visit)
{
    visit_hang_up(visit, "");
}

/* A whole head, and a tenth of the body that it promises. The reply to HEAD has no body
   that could be cut, so its head is. */
static void truncate_reply(struct visit *visit)
{
    visit_hang_up(visit, visit->method == EVHTTP_REQ_HEAD
                             ? "HTTP/1.1 200 OK\r\nContent-Le"
                             : "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 100\r\n\r\ncut short\n");
}

static void send_garbage(struct visit *visit)
{
    visit_hang_up(visit, "\x16\x03\x01 this is not HTTP\r\n\r\n");
}

static const struct {
    const char   *name;
    fault_strike *strike;
} kinds[] = {
    {"reset", visit_reset},      {"close", close_early}, {"truncate", truncate_reply},
    {"garbage", send_garbage},   {"stall", visit_stall},
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
