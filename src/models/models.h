/* One line for each model; models.c has the table. */
#ifndef MODELS_MODELS_H
#define MODELS_MODELS_H

#include "models/model.h"

extern const struct model model_blocking;
extern const struct model model_processes;
extern const struct model model_threads;
extern const struct model model_pool;
extern const struct model model_epoll;
extern const struct model model_libevent;
extern const struct model model_coroutines;
extern const struct model model_uring;

#endif
