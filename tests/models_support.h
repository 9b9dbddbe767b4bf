/* What the suites share that run every model. */
#ifndef TESTS_MODELS_SUPPORT_H
#define TESTS_MODELS_SUPPORT_H

#include "models/model.h"

/* Those of models.c that can run here. */
extern const struct model *able[16];

/* Fills able, and names on standard output those that are skipped. Returns how many there
   are. To be called before Check forks. */
int find_able(void);

#endif
