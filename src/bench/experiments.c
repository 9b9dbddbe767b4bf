#include "bench/experiments.h"

#include <string.h>

/* experiments.inc has a line EXPERIMENT(NAME) for each src/bench/NAME.c for which there
   is a plots/NAME.gp. The Makefile writes it, so that adding one means adding just these
   two. */
#define EXPERIMENT(name) extern const struct experiment experiment_##name;
#include "experiments.inc"
#undef EXPERIMENT

const struct experiment *const experiments[] = {
#define EXPERIMENT(name) &experiment_##name,
#include "experiments.inc"
#undef EXPERIMENT
    NULL,
};

const struct experiment *experiment_find(const char *name)
{
    for (const struct experiment *const *each = experiments; *each; each++)
        if (strcmp((*each)->name, name) == 0)
            return *each;
    return NULL;
}
