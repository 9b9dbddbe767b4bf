#include "bench/contenders.h"

#include <stdio.h>
#include <string.h>

enum { CANNOT_RUN = 1, USAGE = 2 };

/* Cuts one line of `fetch --list` in two: NAME and what it is. */
static void take_line(struct contenders *contenders, char *line)
{
    static const char refusal[] = "unavailable: ";
    char *idea = line + strcspn(line, " ");
    if (*idea)
        *idea++ = '\0';
    idea += strspn(idea, " ");
    struct contender *item = &contenders->items[contenders->count++];
    *item = (struct contender){.name = line};
    item->one_at_a_time = strstr(idea, "one at a time") != NULL;
    item->process_each = strstr(idea, "a process for each") != NULL;
    if (strncmp(idea, refusal, strlen(refusal)) == 0)
        item->unavailable = idea + strlen(refusal);
}

static int ask_fetch(struct contenders *contenders, char why[CONTENDERS_WHY])
{
    int status = process_sibling("fetch", contenders->fetch);
    char *argv[] = {contenders->fetch, "--list", NULL};
    if (status == 0)
        status = process_capture(argv, contenders->list, sizeof contenders->list);
    if (status == 0) {
        char *rest = contenders->list;
        for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
            if (contenders->count < CONTENDERS_MOST - OPTIONS_REPEATS)
                take_line(contenders, line);
        return 0;
    }
    char end[64];
    process_format_status(status, end, sizeof end);
    snprintf(why, CONTENDERS_WHY, "%.400s --list: %s", contenders->fetch,
             status < 0 ? strerror(-status) : end);
    return CANNOT_RUN;
}

static struct contender *find(struct contenders *contenders, const char *name,
                              size_t length)
{
    for (int i = 0; i < contenders->count; i++) {
        struct contender *item = &contenders->items[i];
        if (strlen(item->name) == length && strncmp(item->name, name, length) == 0)
            return item;
    }
    return NULL;
}

/* Adds "NAME=COMMAND", its name copied to *names. */
static int add_external(struct contenders *contenders, const char *text, char **names,
                        char why[CONTENDERS_WHY])
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    size_t room = (size_t)(contenders->names + CONTENDERS_TEXT - *names);
    const char *wrong = NULL;
    if (length == 0 || equals[1] == '\0')
        wrong = "is not NAME=COMMAND, as in 'asyncio=python3 client.py'";
    else if (strcspn(text, ", \t\n\"") < length || length >= room)
        wrong = "has a name with a comma, a space or a quote";
    else if (find(contenders, text, length))
        wrong = "has a name that another model has";
    if (wrong) {
        snprintf(why, CONTENDERS_WHY, "--external: '%.80s' %s", text, wrong);
        return USAGE;
    }
    memcpy(*names, text, length);
    (*names)[length] = '\0';
    contenders->items[contenders->count++] =
        (struct contender){.name = *names, .command = equals + 1};
    *names += length + 1;
    return 0;
}

/* Marks those whose names stand in the comma list. */
static int mark_named(struct contenders *contenders, const char *list,
                      char why[CONTENDERS_WHY])
{
    for (const char *name = list;; name += strcspn(name, ",") + 1) {
        size_t length = strcspn(name, ",");
        struct contender *item = find(contenders, name, length);
        if (!item) {
            int used = snprintf(why, CONTENDERS_WHY,
                                "-m: there is no model '%.*s'; there are",
                                (int)(length < 40 ? length : 40), name);
            for (int i = 0; i < contenders->count && used < CONTENDERS_WHY; i++)
                used += snprintf(why + used, CONTENDERS_WHY - (size_t)used, " %s",
                                 contenders->items[i].name);
            return USAGE;
        }
        item->named = true;
        if (name[length] == '\0')
            return 0;
    }
}

void contenders_remove(struct contenders *contenders, int i)
{
    contenders->count--;
    memmove(&contenders->items[i], &contenders->items[i + 1],
            (size_t)(contenders->count - i) * sizeof *contenders->items);
}

int contenders_open(struct contenders *contenders, const struct settings *settings,
                    char why[CONTENDERS_WHY])
{
    char *names = contenders->names;
    contenders->count = 0;
    int status = ask_fetch(contenders, why);
    for (int i = 0; !status && i < settings->externals.count; i++)
        status = add_external(contenders, settings->externals.items[i], &names, why);
    if (status || !settings->models)
        return status;
    status = mark_named(contenders, settings->models, why);
    for (int i = contenders->count - 1; !status && i >= 0; i--)
        if (!contenders->items[i].named)
            contenders_remove(contenders, i);
    return status;
}
