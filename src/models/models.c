#include "models/models.h"

#include <string.h>

const struct model *const models[] = {
    &model_blocking,
    &model_processes,
    &model_threads,
    &model_pool,
    &model_epoll,
    &model_libevent,
    &model_coroutines,
    &model_uring,
    NULL,
};

const struct model *model_find(const char *name)
{
    for (const struct model *const *model = models; *model; model++)
        if (strcmp((*model)->name, name) == 0)
            return *model;
    return NULL;
}
