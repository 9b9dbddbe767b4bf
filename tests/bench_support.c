#include "tests/bench_support.h"

#include "kit/array.h"
#include "kit/csv.h"
#include "kit/result.h"
#include "tests/support.h"

#include <dirent.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 40, WORDS = 512, POLL_NS = 5 * CLOCK_MS };

/* --- Before and after --------------------------------------------------------------- */

/* Awaits the end of everything that was started from this test. */
static void await_nobody(void)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    pid_t left;
    while ((left = find_started("")) != 0) {
        ck_assert_msg(clock_ns() < deadline_ns, "process %d was left behind", (int)left);
        clock_sleep(POLL_NS);
    }
}

void bench_begin(void)
{
    folder_make();
}

void bench_finish(void)
{
    glob_t left;
    await_nobody();    /* first: who ends may still have something to remove */
    if (glob(folder_path("ways-to-wait*"), 0, NULL, &left) != GLOB_NOMATCH)
        ck_abort_msg("%s was left behind", left.gl_pathv[0]);
    folder_empty();
    folder_remove();
}

/* --- Running ------------------------------------------------------------------------ */

void bench_start(struct program *program, const char *words, const char *external)
{
    char text[WORDS];
    const char *argv[ARGUMENTS] = {BENCH, "-o", folder_path("")};
    int count = 3;
    snprintf(text, sizeof text, "%s", words);
    char *rest = text;
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        ck_assert_int_lt(count, ARGUMENTS - 3);    /* two may follow, and NULL */
        argv[count++] = word;
    }
    if (external) {
        argv[count++] = "--external";
        argv[count++] = external;
    }
    program_start(program, argv);
}

int bench_run(const char *words, const char *external, struct output *output)
{
    struct program program;
    bench_start(&program, words, external);
    return program_end(&program, 0, output);
}

void assert_ran(int status, const struct output *output)
{
    bool guarded = status == 3 && strstr(output->out, "invalid: ");
    ck_assert_msg(status == 0 || guarded, "status %d: %s%s", status, output->out,
                  output->err);
    ck_assert_str_eq(output->err, "");
    assert_says(output->out, "What was found:");
}

void assert_finds(const struct output *output, const char *words)
{
    if (!strstr(output->out, "invalid: "))
        assert_says(output->out, words);
}

/* Whether a file of /proc/PID has these words, where it has NULs counted as spaces. */
static bool proc_has(const char *pid, const char *name, const char *words)
{
    char path[300], text[16384];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;    /* it has just ended, or is not ours to look at */
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    for (size_t i = 0; i < length; i++)
        text[i] = text[i] ? text[i] : ' ';
    text[length] = '\0';
    return strstr(text, words) != NULL;
}

/* TMPDIR in its environment tells from which test a process came. */
pid_t find_started(const char *words)
{
    DIR *proc = opendir("/proc");
    ck_assert_ptr_nonnull(proc);
    struct dirent *entry;
    pid_t found = 0;
    while (!found && (entry = readdir(proc)) != NULL)
        if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
            proc_has(entry->d_name, "environ", folder_path("")) &&
            proc_has(entry->d_name, "cmdline", words))
            found = (pid_t)atoi(entry->d_name);
    closedir(proc);
    return found;
}

/* --- External models ---------------------------------------------------------------- */

const char external_fine[] = "0,1000,2000,50000000,50000000,5000000,200,17,";

const char *external_write(const char *script)
{
    static char option[600];
    folder_write("external", script);
    snprintf(option, sizeof option, "own=sh %s", folder_path("external"));
    return option;
}

const char *external_tell(const char *row, int status)
{
    char script[1024];
    int length = snprintf(script, sizeof script,
                          "while [ $# -gt 1 ]; do\n"
                          "    case $1 in\n"
                          "    -n) n=$2 ;; -c) c=$2 ;; --timeout) t=$2 ;; -o) o=$2 ;;\n"
                          "    esac\n"
                          "    shift 2\n"
                          "done\n"
                          ": ${n:?} ${c:?} ${t:?} ${1:?}\n"
                          "echo $n >>\"$TMPDIR/runs\"\n"
                          "echo '%s' >\"$o\"\n"
                          "i=0\n"
                          "while [ $i -lt $n ]; do\n"
                          "    echo \"anyone,0,$i,%s\" >>\"$o\"\n"
                          "    i=$((i + 1))\n"
                          "done\n"
                          "echo 'it: a sentence of its own' >&2\n"
                          "exit %d\n",
                          result_csv_header, row, status);
    ck_assert_int_lt(length, (int)sizeof script);
    return external_write(script);
}

/* --- CSV ---------------------------------------------------------------------------- */

void table_read(struct table *table, const char *name, const char *header)
{
    table->text = folder_read(name);
    ck_assert_msg(table->text != NULL, "%s is not there", name);
    snprintf(table->header, sizeof table->header, "%s", header);
    table->columns = csv_split(table->header, table->names, TABLE_COLUMNS);
    ck_assert_int_le(table->columns, TABLE_COLUMNS);
    table->rows = -1;
    char *rest = table->text;
    for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
        *end = '\0';
        if (table->rows < 0) {
            ck_assert_str_eq(rest, header);
        } else {
            ck_assert_int_lt(table->rows, TABLE_ROWS);
            ck_assert_int_eq(csv_split(rest, table->fields[table->rows], TABLE_COLUMNS),
                             table->columns);
        }
        table->rows++;
    }
    ck_assert_msg(*rest == '\0', "%s ends with half a row: '%s'", name, rest);
}

const char *table_get(const struct table *table, int row, const char *column)
{
    for (int i = 0; i < table->columns; i++)
        if (strcmp(table->names[i], column) == 0)
            return table->fields[row][i];
    ck_abort_msg("there is no column %s", column);
    return NULL;
}

int64_t table_number(const struct table *table, int row, const char *column)
{
    return strtoll(table_get(table, row, column), NULL, 10);
}

void table_free(struct table *table)
{
    free(table->text);
}
