/* What an experiment found, in words and tables. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/experiment.h"

enum { REPORT_NUMBER = 32 };

/* "1,000". */
void report_format_count(int64_t count, char text[REPORT_NUMBER]);

/* "1,000 requests", "1 request", "300 in flight". */
void report_format_size(const struct experiment *experiment, int size,
                        char text[REPORT_NUMBER]);

/* Three significant digits: "0.152", "9.93", "99.6", "2,930". */
void report_format_decimal(double value, char text[REPORT_NUMBER]);

/* "52.1 ms", "0.152 s", "100 s". */
void report_format_time(int64_t ns, char text[REPORT_NUMBER]);

/* A time that was asked for: "100 ms", "1.5 s". */
void report_format_latency(int64_t ns, char text[REPORT_NUMBER]);

/* The median over the valid trials of the figures (of the details, if detail). Returns
   false if they are not the greater part: a guard may spare just the slow ones. */
bool report_median(const struct record *record, int contender, int size, bool detail,
                   int64_t *median);

/* The largest size, `least` at least, at which the most contenders that can have more
   than one in flight have a median; failing that, the largest at which any has. 0: there
   is none. */
int report_telling_size(const struct record *record, int least);

/* Writes what stands before item i of count: "", ", " or " and ". */
void report_join(FILE *out, int i, int count);

/* Prints a row for each contender, a column for each size, and theory below them. */
void report_table(const struct record *record);

#endif
