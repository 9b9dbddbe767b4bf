/* One request, from its arrival to its end. What evhttp needs to be told of a request is
   told here, as what it needs to be told of the whole is in service.c; the paths see
   visits alone. */
#ifndef SERVER_VISIT_H
#define SERVER_VISIT_H

#include "server/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

struct visit {
    struct service *service;
    int64_t         arrived_ns;
    int             method;        /* enum evhttp_cmd_type */
    char           *path;          /* decoded, without the query; NULL: no memory */
    const char     *argument;      /* the part of it that is the path's own: "50ms" */
    bool            bad_query;     /* it is not of the form name=value&name=value */

    struct evhttp_request    *request;       /* the rest is visit.c's business */
    struct evhttp_connection *connection;
    struct evkeyvalq          query;
    bool                      in_flight;     /* counted as such */
    void                    (*on_left)(void *arg);
    void                     *arg;
    LIST_ENTRY(visit)         link;
};

/* A request has arrived: the first step of each visit, from evhttp. */
void visit_arrive(struct evhttp_request *request, void *service);

/* The value of "?name=value", decoded, or NULL. */
const char *visit_parameter(const struct visit *visit, const char *name);

/* Before anything else: this visit counts. Or it does not, since it only asks for the
   count, and then its connection does not count either. */
void visit_count(struct visit *visit);
void visit_hide(struct visit *visit);

/* Adds a header field to the reply to come. */
void visit_add_field(struct visit *visit, const char *name, const char *value);

/* Calls on_left(arg) when the client closes its connection, or its half of it, or resets
   it, before the visit's end. That is the visit's end, then. */
void visit_watch(struct visit *visit, void (*on_left)(void *arg), void *arg);

/* Each visit ends in exactly one of the calls below, or by its client's leaving. It must
   not be used after that. */

/* Answers, with a header that tells how long it has waited. type NULL: plain text. */
void visit_reply(struct visit *visit, int status, const char *type, const char *body);

/* Answers with a sentence in plain text. */
void visit_say(struct visit *visit, int status, const char *format, ...)
__attribute__((format(printf, 3, 4)));

/* The same, for a watched visit; keeps the connection open, whatever the client asked
   for, until it closes it or asks for more on it, and then calls on_closed(arg). */
void visit_say_and_linger(struct visit *visit, void (*on_closed)(void *arg), void *arg,
                          const char *sentence);

/* Three steps: the head (which tells the wait until now), some of the body any number of
   times, the end. In between, the visit must be watched. Where the client wants the head
   alone, the body is dropped. */
void visit_begin_body(struct visit *visit, size_t length);
void visit_send_body(struct visit *visit, const char *bytes, size_t length);
void visit_end_body(struct visit *visit);

/* The ways to fail: closes the connection without a word, or keeps it
   and says nothing. */
void visit_drop(struct visit *visit);
void visit_stall(struct visit *visit);

/* The socket, for what evhttp would not do with it. Between two replies it is idle. */
int visit_fd(const struct visit *visit);

#endif
