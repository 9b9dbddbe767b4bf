/* The paths of the server, which are a table in paths.c. */
#ifndef SERVER_PATHS_H
#define SERVER_PATHS_H

#include "server/visit.h"

/* Finds what stands behind the visit's path, and has it answered. */
void paths_serve(struct visit *visit);

#endif
