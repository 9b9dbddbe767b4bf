/* What the machine must allow before a run makes sense: a run that starves of descriptors
   half-way measures nothing but its own failure. */
#ifndef FETCH_PREFLIGHT_H
#define FETCH_PREFLIGHT_H

#include "models/model.h"

enum { PREFLIGHT_WHY = 256 };

/* Checks descriptors (and raises the soft limit where it may), memory, threads and ports.
   Returns 0, -EAGAIN with why set to the limit in the way and how to raise it, or another
   -errno. */
int preflight(const struct model *model, const struct workload *workload,
              char why[PREFLIGHT_WHY]);

#endif
