/* What whowaits prints. */
#ifndef WHOWAITS_REPORT_H
#define WHOWAITS_REPORT_H

#include "whowaits/verdict.h"
#include "whowaits/watch.h"

#include <stdio.h>

/* A screen for people: the evidence as a table, then the verdict in two lines. */
void report_text(FILE *out, const struct watch *watch, const struct verdict *verdict);

/* The same for programs: one JSON object on one line. Keys may be added, not renamed. */
void report_json(FILE *out, const struct watch *watch, const struct verdict *verdict);

#endif
