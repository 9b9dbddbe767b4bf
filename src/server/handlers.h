/* What stands behind each path. Each is given a visit and ends it, now or later. */
#ifndef SERVER_HANDLERS_H
#define SERVER_HANDLERS_H

#include "server/visit.h"

void delay_serve(struct visit *visit);
void gate_serve(struct visit *visit);
void drip_serve(struct visit *visit);
void fault_serve(struct visit *visit);

#endif
