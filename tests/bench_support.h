/* What the suites share that start the real bench: running it, programs that stand in for
   a model, and the tables that are written. */
#ifndef TESTS_BENCH_SUPPORT_H
#define TESTS_BENCH_SUPPORT_H

#include <stdint.h>
#include <sys/types.h>

struct output;
struct program;

#define BENCH BUILD_DIR "/bench"    /* the program; BUILD_DIR is of tests/support.h */

/* Before each test: makes the folder. After it: awaits the end of every process that came
   of the test, asserts that bench left no temporary file, and removes the folder. */
void bench_begin(void);
void bench_finish(void);

/* Starts bench with these words, parted by spaces, with -o the folder, and with this
   --external unless it is NULL. bench_run awaits its end too, and returns its status. */
void bench_start(struct program *program, const char *words, const char *external);
int bench_run(const char *words, const char *external, struct output *output);

/* A clean run, but for what the neighbours of a busy machine may do to a trial. */
void assert_ran(int status, const struct output *output);

/* It says so, unless a neighbour has spoiled a trial. */
void assert_finds(const struct output *output, const char *words);

/* A process that was started from this test and has these words in its command line; 0 if
   there is none. */
pid_t find_started(const char *words);

/* --- External models ---------------------------------------------------------------- */

/* Writes a script, and returns what makes of it the external model "own": good until the
   next call. */
const char *external_write(const char *script);

/* The same for one that takes what fetch takes, and tells of requests that it never made:
   row is what stands in requests.csv from start_ns on, for the shell between double
   quotes, where $i is the request's number. It adds to the file "runs" how many it was
   asked for, says a sentence, and ends with status. */
const char *external_tell(const char *row, int status);

/* A row that is fine: from 0 to 50 ms, with status 200. */
extern const char external_fine[];

/* --- CSV ---------------------------------------------------------------------------- */

enum { TABLE_COLUMNS = 22, TABLE_ROWS = 4000, TABLE_HEADER = 1024 };

/* A table, taken apart. */
struct table {
    char  header[TABLE_HEADER];
    char *names[TABLE_COLUMNS];
    int   columns;
    char *text;
    char *fields[TABLE_ROWS][TABLE_COLUMNS];
    int   rows;    /* without the header */
};

/* Reads a table of the folder, and asserts its header and that each row is whole. */
void table_read(struct table *table, const char *name, const char *header);

/* The field of that column; and the number that it starts with, 0 if there is none. */
const char *table_get(const struct table *table, int row, const char *column);
int64_t table_number(const struct table *table, int row, const char *column);

void table_free(struct table *table);

#endif
