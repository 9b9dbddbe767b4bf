#include "coro/scheduler.h"
void coro_pool_free(struct pool *pool) { (void)pool; }
