/* The ways in which a reply may fail on purpose. */
#ifndef SERVER_FAULT_H
#define SERVER_FAULT_H

#include "server/visit.h"

typedef void fault_strike(struct visit *visit);

/* What strikes a visit, and so ends it, for "reset", "close", "truncate", "stall" or
   "garbage" (the first length bytes of kind). NULL if there is no such kind. */
fault_strike *fault_find(const char *kind, size_t length);

/* What to say of a kind that is none. */
extern const char fault_kinds[];

#endif
