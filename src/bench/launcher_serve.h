/* The launcher's own side, and the messages that pass between it and bench. */
#ifndef BENCH_LAUNCHER_SERVE_H
#define BENCH_LAUNCHER_SERVE_H

#include "bench/launcher.h"

#include <stdbool.h>

enum { WORDS_MOST = 64, TEXT_MOST = 32768 };

/* Bench's message: start these words as a program, or send this signal to it. */
struct order {
    int         signal_number;      /* 0: start */
    bool        bound;              /* to cpus */
    struct cpus cpus;
    int         words;
    char        text[TEXT_MOST];    /* each word with its end */
};

/* The launcher's message: the run has started (or not), or it has ended. */
struct notice {
    pid_t          pid;    /* -errno if it could not be started */
    struct run_end end;
};

/* What the launcher does until bench has gone: obeys orders, ends what runs, and removes
   the temporary files. */
void launcher_serve(const struct launcher *launcher);

#endif
