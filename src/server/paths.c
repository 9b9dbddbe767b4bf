#include "server/paths.h"

#include "kit/array.h"
#include "kit/units.h"
#include "server/handlers.h"

#include <stdio.h>
#include <string.h>

static void list_serve(struct visit *visit);
static void status_serve(struct visit *visit);
static void stats_serve(struct visit *visit);
static void reset_serve(struct visit *visit);

enum {
    READING = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD,
    WRITING = EVHTTP_REQ_POST
};

static const struct path {
    const char *name;         /* with a slash at its end: what follows is an argument */
    int         methods;
    bool        hidden;       /* from the numbers that it serves */
    void      (*serve)(struct visit *visit);
    const char *example;
    const char *help;
} paths[] = {
    {"/",            READING, false, list_serve,   "/",
     "this list"},
    {"/delay/",      READING, false, delay_serve,  "/delay/50ms",
     "answers after 50 ms"},
    {"/delay/",      READING, false, delay_serve,  "/delay/lognormal:50ms,p99=400ms?i=17",
     "... drawn at random, from the server's seed and i alone"},
    {"/delay/",      READING, false, delay_serve,  "/delay/50ms?fault=reset:0.01",
     "... and one in a hundred fails instead"},
    {"/gate/",       READING, false, gate_serve,   "/gate/20?timeout=5s",
     "answers when 20 wait here at once; also straggler=1, order=last-first"},
    {"/drip/",       READING, false, drip_serve,   "/drip/1000?over=2s",
     "sends 1000 bytes little by little over 2 s"},
    {"/fault/",      READING, false, fault_serve,  "/fault/truncate",
     "fails: reset, close, truncate, stall or garbage"},
    {"/status/",     READING, false, status_serve, "/status/503",
     "answers with that status, 200 to 599"},
    {"/stats",       READING, true,  stats_serve,  "/stats",
     "what the server has seen and done, as JSON"},
    {"/stats/reset", WRITING, true,  reset_serve,  "/stats/reset",
     "counts from zero again; this one takes POST"},
};

static void list_serve(struct visit *visit)
{
    char text[2048] = "The paths of this server, by example:\n\n";
    size_t used = strlen(text);
    for (size_t i = 0; i < LENGTH(paths) && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "  %-38s %s\n",
                                 paths[i].example, paths[i].help);
    visit_reply(visit, 200, NULL, text);
}

static void status_serve(struct visit *visit)
{
    int64_t status = 0;
    if (units_parse_count(visit->argument, &status) != 0 || status < 200 || status > 599)
        visit_say(visit, 400, "status: '%.40s' is not a number from 200 to 599\n",
                  visit->argument);
    else
        visit_say(visit, (int)status, "status %d\n", (int)status);
}

static void stats_serve(struct visit *visit)
{
    char text[TALLY_TEXT];
    tally_format(&visit->service->tally, text);
    visit_reply(visit, 200, "application/json", text);
}

static void reset_serve(struct visit *visit)
{
    tally_reset(&visit->service->tally);
    stats_serve(visit);
}

static const struct path *find_path(const char *name)
{
    for (size_t i = 0; i < LENGTH(paths); i++) {
        size_t length = strlen(paths[i].name);
        bool takes_more = length > 1 && paths[i].name[length - 1] == '/';
        if (takes_more ? strncmp(name, paths[i].name, length) == 0
                       : strcmp(name, paths[i].name) == 0)
            return &paths[i];
    }
    return NULL;
}

void paths_serve(struct visit *visit)
{
    const struct path *path = find_path(visit->path ? visit->path : "");
    if (path && path->hidden)
        visit_hide(visit);
    else
        visit_count(visit);
    if (!path) {
        visit_say(visit, 404, "no such path: '%.60s'; / lists those that there are\n",
                  visit->path ? visit->path : "");
    } else if (!(visit->method & path->methods)) {
        const char *allowed = path->methods == WRITING ? "POST" : "GET, HEAD";
        visit_add_field(visit, "Allow", allowed);
        visit_say(visit, 405, "%s takes %s only\n", path->name, allowed);
    } else if (visit->bad_query) {
        visit_say(visit, 400, "the query is not of the form name=value&name=value\n");
    } else {
        visit->argument = visit->path + strlen(path->name);
        path->serve(visit);
    }
}
