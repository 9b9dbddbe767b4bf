/* Command lines: one table for each program, from which getopt_long(3) parses and --help
   is printed. */
#ifndef KIT_OPTIONS_H
#define KIT_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    OPTIONS_REPEATS = 16,     /* how often an OPTION_TEXTS may be given */
    OPTIONS_WHY = 200,        /* bytes that hold any complaint; a longer one is cut */
    OPTIONS_HELP = -1         /* options_parse: --help was asked for */
};

enum option_kind {            /* ... and what the member at `offset` is */
    OPTION_FLAG,              /* bool, set true */
    OPTION_TEXT,              /* const char *, into argv */
    OPTION_TEXTS,             /* struct option_texts: may be given again */
    OPTION_COUNT,             /* int64_t, "10k" */
    OPTION_SIZE,              /* int64_t in bytes, "64K" */
    OPTION_DURATION           /* int64_t in ns, "50ms" */
};

struct option_texts {
    const char *items[OPTIONS_REPEATS];
    int         count;
};

struct option_spec {
    char             letter;      /* 'n', or 0 where there is only a name */
    const char      *name;        /* "count" */
    const char      *argument;    /* "COUNT", as help shows it; NULL for a flag */
    enum option_kind kind;
    size_t           offset;      /* of the member in the program's struct of options */
    int64_t          min, max;    /* of a count, size or duration */
    const char      *help;        /* "how many requests (default 100)" */
};

struct option_program {
    const char               *name;        /* "fetch" */
    const char               *operands;    /* "URL", as help shows them; "" if none */
    const char               *about;       /* one sentence */
    const struct option_spec *specs;
    size_t                    count;       /* of specs, at most 24 */
    int                       operands_min, operands_max;
};

/* Parses argv (which may be reordered) into values, where the defaults stand already.
   Returns the index of the first operand in argv, OPTIONS_HELP, or -EINVAL with why set
   to "option: what is wrong". May be called again, by one thread at a time. */
int options_parse(const struct option_program *program, int argc, char **argv,
                  void *values, char why[OPTIONS_WHY]);

void options_print_help(const struct option_program *program, FILE *out);

/* What each main does first: parses; prints help and exits 0 where that was asked, prints
   "program: option: what is wrong" and exits 2 where there is something wrong.
   Returns the index of the first operand. */
int options_or_exit(const struct option_program *program, int argc, char **argv,
                    void *values);

/* What each main does last: flushes standard output, and says so and returns 1 if that
   failed (a full disk, a reader that left); else returns status. */
int options_exit_status(const struct option_program *program, int status);

#endif
