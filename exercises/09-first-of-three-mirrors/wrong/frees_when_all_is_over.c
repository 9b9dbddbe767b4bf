/* rejected: 5 in flight, where 3 are due */
/* First of three mirrors: in each round asks three servers for the same page, and takes
   the first whole reply whose status is 200.
   usage: first_of_three_mirrors ROUNDS DEADLINE URL URL URL */
#include "kit/clock.h"
#include "kit/http.h"
#include "kit/net.h"
#include "kit/units.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DONE_MOST = 3000,
    MIRRORS = 3,
    REPLY_MOST = 4096    /* bytes of a reply that are kept */
};

struct round;

struct mirror {
    struct round       *round;
    int                 number;        /* from 1 */
    struct endpoint     server;
    char                target[HTTP_TARGET];
    struct bufferevent *connection;    /* NULL: it is not being asked */
    struct http_reader  reader;
    char                reply[REPLY_MOST + 1];
    size_t              length;        /* of what is kept */
};

struct round {
    struct event_base *base;
    struct event      *deadline;       /* one timer, for all three */
    struct mirror      mirrors[MIRRORS];
    int                asked;          /* how many have not ended yet */
    struct mirror     *winner;         /* NULL: none so far */
    bool               over;
    struct bufferevent *done[DONE_MOST];
    int                done_count;
};

/* --- A client of one mirror --------------------------------------------------------- */

static void mirror_end(struct mirror *mirror, bool good);

/* Who has been asked ends in one of these two, unless it is hung up on before. */

static void on_readable(struct bufferevent *connection, void *arg)
{
    struct mirror *mirror = arg;
    char bytes[1024];
    size_t length = bufferevent_read(connection, bytes, sizeof bytes);
    for (size_t i = 0; i < length && mirror->length < REPLY_MOST; i++)
        mirror->reply[mirror->length++] = bytes[i];
    mirror->reply[mirror->length] = '\0';
    int progress = http_reader_feed(&mirror->reader, bytes, length);
    if (progress != HTTP_MORE)
        mirror_end(mirror, progress == HTTP_WHOLE && mirror->reader.status == 200);
}

static void on_change(struct bufferevent *connection, short what, void *arg)
{
    struct mirror *mirror = arg;
    if (what & BEV_EVENT_CONNECTED)
        bufferevent_enable(connection, EV_READ);
    else
        mirror_end(mirror, (what & BEV_EVENT_EOF) && mirror->reader.status == 200 &&
                   http_reader_end(&mirror->reader) == HTTP_WHOLE);
}

/* Has libevent connect and then send. Returns 0, and one of the callbacks above will come
   from the loop; or -errno, and none will. */
static int mirror_ask(struct mirror *mirror)
{
    const struct sockaddr *address = (const struct sockaddr *)&mirror->server.address;
    struct bufferevent *connection;
    char text[HTTP_REQUEST];
    int length = http_write_request(text, sizeof text, mirror->server.name,
                                    mirror->target, 0);
    if (length < 0)
        return length;
    connection = bufferevent_socket_new(mirror->round->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        return -ENOMEM;
    if (bufferevent_write(connection, text, (size_t)length) < 0 ||
        bufferevent_socket_connect(connection, address,
                                   (int)mirror->server.address_length) < 0) {
        int error = errno;    /* the next call may change it */
        bufferevent_free(connection);
        return error ? -error : -ENOMEM;
    }
    bufferevent_setcb(connection, on_readable, NULL, on_change, mirror);
    http_reader_init(&mirror->reader);
    mirror->length = 0;
    mirror->connection = connection;
    return 0;
}

/* --- A round ------------------------------------------------------------------------ */

/* Hangs up on a mirror, which calls back no more. */
static void mirror_cancel(struct mirror *mirror)
{
    if (!mirror->connection)
        return;
    bufferevent_disable(mirror->connection, EV_READ | EV_WRITE);
    mirror->round->done[mirror->round->done_count++ % DONE_MOST] = mirror->connection;
    mirror->connection = NULL;
    mirror->round->asked--;
}

/* Every round ends here, once: with a winner or without. Nobody is asked any more. */
static void round_end(struct round *round, struct mirror *winner)
{
    round->over = true;
    round->winner = winner;
    event_del(round->deadline);
    for (int i = 0; i < MIRRORS; i++)
        mirror_cancel(&round->mirrors[i]);
}

/* A mirror has ended by itself: with a whole reply of status 200, or some other way. */
static void mirror_end(struct mirror *mirror, bool good)
{
    struct round *round = mirror->round;
    mirror_cancel(mirror);
    if (good)
        round_end(round, mirror);
    else if (round->asked == 0)
        round_end(round, NULL);    /* there is nobody left to wait for */
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct round *round = arg;
    (void)fd;
    (void)what;
    round_end(round, NULL);
}

/* Asks all three at once, and turns the loop until the round is over. */
static void round_run(struct round *round, const struct timeval *limit)
{
    round->over = false;
    round->winner = NULL;
    round->asked = 0;
    for (int i = 0; i < MIRRORS; i++)
        if (mirror_ask(&round->mirrors[i]) == 0)
            round->asked++;
    evtimer_add(round->deadline, limit);
    if (round->asked == 0)
        round_end(round, NULL);
    while (!round->over)
        event_base_loop(round->base, EVLOOP_ONCE);
}

/* ------------------------------------------------------------------------------------ */

static void print_round(const struct round *round, int number)
{
    if (round->winner) {
        const char *body = strstr(round->winner->reply, "\r\n\r\n");
        body = body ? body + 4 : "";
        printf("round %d: mirror %d: %.*s\n", number, round->winner->number,
               (int)strcspn(body, "\r\n"), body);
    } else {
        printf("round %d: nobody\n", number);
    }
    fflush(stdout);
}

static bool take_arguments(struct round *round, char **argv, int64_t *rounds,
                           int64_t *limit_ns)
{
    if (units_parse_count(argv[1], rounds) != 0 ||
        units_parse_duration(argv[2], limit_ns) != 0)
        return false;
    for (int i = 0; i < MIRRORS; i++) {
        struct mirror *mirror = &round->mirrors[i];
        struct http_url url;
        if (http_parse_url(argv[3 + i], &url) ||
            net_resolve(url.host, url.port, &mirror->server) != 0)
            return false;
        memcpy(mirror->target, url.target, sizeof url.target);
        mirror->round = round;
        mirror->number = i + 1;
    }
    return true;
}

int main(int argc, char **argv)
{
    int64_t rounds, limit_ns;
    struct round *round = calloc(1, sizeof *round);
    if (!round || argc != 3 + MIRRORS ||
        !take_arguments(round, argv, &rounds, &limit_ns)) {
        fprintf(stderr, "usage: first_of_three_mirrors ROUNDS DEADLINE URL URL URL\n");
        free(round);
        return 2;
    }
    struct timeval limit = clock_timeval(limit_ns);
    round->base = event_base_new();
    round->deadline = round->base ? evtimer_new(round->base, on_deadline, round) : NULL;
    for (int i = 1; round->deadline && i <= rounds; i++) {
        round_run(round, &limit);
        print_round(round, i);
    }
    int status = round->deadline ? 0 : 1;
    for (int i = 0; i < round->done_count; i++)
        bufferevent_free(round->done[i]);
    if (round->deadline)
        event_free(round->deadline);
    if (round->base)
        event_base_free(round->base);
    free(round);
    return status;
}
