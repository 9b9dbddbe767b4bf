/* The one blocking exchange, shared by every model that blocks. */
#ifndef MODELS_EXCHANGE_H
#define MODELS_EXCHANGE_H

#include "models/model.h"

/* Makes request `number` of the workload, from connect to close, and fills its result.
   The calling thread waits, for timeout_ns at the longest. */
void exchange(const struct workload *workload, int number, struct result *result);

#endif
