/* CSV and the rows of results. */
#include "kit/array.h"
#include "kit/csv.h"
#include "kit/result.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- csv -------------------------------------------------------------------------- */

static char folder[PATH_MAX];    /* of this run's own; gone after the tests */

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/kit_test.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        abort();
}

static void remove_folder(void)
{
    static const char *const names[] = {"table.csv", "link.csv", "folder"};
    for (size_t i = 0; i < LENGTH(names); i++) {
        char path[PATH_MAX + 16];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);    /* some tests leave none */
    }
    rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void check_file(const char *path, const char *expected)
{
    char text[200] = "";
    FILE *file = fopen(path, "r");
    ck_assert_msg(file, "%s: %s", path, strerror(errno));
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_str_eq(text, expected);
}

START_TEST(text_comes_back_from_a_row_as_it_was)
{
    static const char *const texts[] = {
        "", "plain", "a,b", ",", "\"", "\"\"", "say \"no\"", " ", "\",\"", ",,",
        "\",", ",\"", "a\"", "\"a",
    };
    enum { TEXTS = LENGTH(texts) };
    char *row = NULL;
    size_t size;
    FILE *csv = open_memstream(&row, &size);
    for (size_t i = 0; i < TEXTS; i++) {
        csv_text(csv, texts[i]);
        putc(i + 1 < TEXTS ? ',' : '\n', csv);
    }
    ck_assert_int_eq(fclose(csv), 0);
    char *fields[TEXTS];
    ck_assert_int_eq(csv_split(row, fields, TEXTS), TEXTS);
    for (size_t i = 0; i < TEXTS; i++)
        ck_assert_str_eq(fields[i], texts[i]);
    free(row);
}
END_TEST

START_TEST(text_is_quoted_only_where_it_must_be_and_stays_on_its_line)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"", ""},           {"a b", "a b"},           {"a,b", "\"a,b\""},
        {"a\"", "\"a\"\"\""}, {"a\r\nb", "\"a  b\""}, {"\n", "\" \""},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *field = NULL;
        size_t size;
        FILE *csv = open_memstream(&field, &size);
        csv_text(csv, cases[i].text);
        ck_assert_int_eq(fclose(csv), 0);
        ck_assert_str_eq(field, cases[i].field);
        free(field);
    }
}
END_TEST

START_TEST(a_row_of_any_form_is_taken_apart)
{
    static const struct {
        const char *line;
        int         count;
        const char *fields[4];
    } cases[] = {
        {"", 1, {""}},
        {"\n", 1, {""}},
        {"a", 1, {"a"}},
        {"a\r\n", 1, {"a"}},
        {",", 2, {"", ""}},
        {"a,,b,\n", 4, {"a", "", "b", ""}},
        {"\"\",\"\"\n", 2, {"", ""}},
        {"\"a,b\",c\n", 2, {"a,b", "c"}},
        {"\"\"\"\",\"a\"\"b\"\n", 2, {"\"", "a\"b"}},
        {"a\"b,c", 2, {"a\"b", "c"}},
        {"\"open,a\n", 1, {"open,a"}},
        {"\"\n", 1, {""}},
        {"\"a\"\"\n", 1, {"a\""}},
        {"\"a\"junk,b\n", 2, {"a", "b"}},
        {"a,b,c,d,e,f\n", 6, {"a", "b", "c", "d"}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *line = strdup(cases[i].line);    /* on the heap, guarded */
        ck_assert_ptr_nonnull(line);
        char *fields[4] = {0};
        ck_assert_int_eq(csv_split(line, fields, 4), cases[i].count);
        for (int f = 0; f < 4 && f < cases[i].count; f++)
            ck_assert_str_eq(fields[f], cases[i].fields[f]);
        free(line);
    }
}
END_TEST

START_TEST(a_table_replaces_what_was_there)
{
    const char *path = path_of("table.csv");
    for (int i = 0; i < 2; i++) {
        FILE *csv = csv_create(path, "a,b");
        ck_assert_ptr_nonnull(csv);
        fprintf(csv, "%d,2\n", i);
        ck_assert_int_eq(csv_finish(csv, path), 0);
    }
    check_file(path, "a,b\n1,2\n");
    ck_assert_ptr_null(csv_create(path_of("none/table.csv"), "a,b"));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(asking_whether_a_table_can_be_written_changes_nothing)
{
    const char *path = path_of("table.csv");
    remove(path);
    ck_assert_int_eq(csv_writable(path), 0);
    ck_assert_int_eq(access(path, F_OK), -1);
    FILE *csv = csv_create(path, "kept");
    ck_assert_int_eq(csv_finish(csv, path), 0);
    ck_assert_int_eq(csv_writable(path), 0);
    check_file(path, "kept\n");
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_int_eq(csv_writable(path), geteuid() == 0 ? 0 : -EACCES);
    ck_assert_int_eq(csv_writable(path_of("none/table.csv")), -ENOENT);
    ck_assert_int_eq(csv_writable("/dev/full"), 0);
    path = path_of("folder");
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(csv_writable(path), -EISDIR);
    ck_assert_int_eq(rmdir(path), 0);    /* it is still there */
}
END_TEST

START_TEST(a_full_disk_is_told_and_a_device_stays)
{
    const char *link = path_of("link.csv");
    remove(link);
    ck_assert_int_eq(symlink("/dev/full", link), 0);
    const char *const paths[] = {"/dev/full", link};
    for (size_t i = 0; i < LENGTH(paths); i++) {
        for (int rows = 0; rows <= 100000; rows += 100000) {    /* seen late; early */
            FILE *csv = csv_create(paths[i], "a,b");
            ck_assert_ptr_nonnull(csv);
            for (int row = 0; row < rows; row++)
                fprintf(csv, "%d,2\n", row);
            ck_assert_int_eq(csv_finish(csv, paths[i]), -ENOSPC);
            struct stat status;
            ck_assert_int_eq(lstat(paths[i], &status), 0);
        }
    }
    ck_assert_int_eq(remove(link), 0);
}
END_TEST

/* Writes a table of 100 KB where no file may be longer than 4 KB. */
static int write_too_much(const char *path)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, low;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
    FILE *csv = csv_create(path, "a");
    for (int i = 0; csv && i < 50000; i++)
        fputs("1\n", csv);
    int error = csv ? csv_finish(csv, path) : -errno;
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    return error;
}

START_TEST(a_table_that_could_not_be_finished_is_removed)
{
    const char *path = path_of("table.csv");
    ck_assert_int_eq(write_too_much(path), -EFBIG);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_link_to_a_table_that_could_not_be_finished_stays)
{
    const char *link = path_of("link.csv");
    remove(link);
    ck_assert_int_eq(symlink("table.csv", link), 0);
    ck_assert_int_eq(write_too_much(link), -EFBIG);
    struct stat status;
    ck_assert_int_eq(lstat(link, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

/* --- result ----------------------------------------------------------------------- */

START_TEST(a_result_is_ok_when_a_whole_reply_says_so)
{
    static const struct {
        int  error, status;
        bool ok;
    } cases[] = {
        {0, 200, true}, {0, 204, true}, {0, 299, true}, {0, 199, false}, {0, 300, false},
        {0, 404, false}, {0, 503, false}, {0, 0, false}, {EBADMSG, 200, false},
        {ETIMEDOUT, 200, false}, {ECANCELED, 0, false},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct result result = {.error = cases[i].error, .status = cases[i].status};
        ck_assert_int_eq(result_ok(&result), cases[i].ok);
    }
}
END_TEST

/* A row as result_write writes it, without its end; the caller frees it. */
static char *row_of(const char *model, int trial, int request, int64_t zero_ns,
                    const struct result *result)
{
    char *row = NULL;
    size_t size;
    FILE *csv = open_memstream(&row, &size);
    result_write(csv, model, trial, request, zero_ns, result);
    ck_assert_int_eq(fclose(csv), 0);
    ck_assert_int_eq(row[size - 1], '\n');
    return row;
}

START_TEST(a_result_has_a_row_that_matches_the_header)
{
    static const struct result whole = {1000, 1001, 1002, 2003, 2004, 999, 5, 200, 0};
    char *row = row_of("a,b", 3, 17, 1000, &whole);
    ck_assert_str_eq(row, "\"a,b\",3,17,0,1,2,1003,1004,999,200,5,\n");
    char *fields[12];
    char header[200];
    snprintf(header, sizeof header, "%s", result_csv_header);
    ck_assert_int_eq(csv_split(header, fields, 12), 12);
    ck_assert_int_eq(csv_split(row, fields, 12), 12);
    free(row);

    static const struct result never = {.error = ECANCELED};
    row = row_of("pool", 0, 0, 1000, &never);
    ck_assert_str_eq(row, "pool,0,0,,,,,,0,0,0,ECANCELED\n");
    free(row);
}
END_TEST

/* A time is read as it was, from zero_ns on, or as -1 where it was never reached. */
static void check_time(int64_t read, int64_t written, int64_t zero_ns)
{
    ck_assert_int_eq(read, written ? written - zero_ns : -1);
}

START_TEST(a_row_is_read_as_it_was_written)
{
    static const struct result results[] = {
        {1000, 1001, 1002, 2003, 2004, 999, 5, 200, 0},
        {1000, 0, 0, 0, 1500, 0, 0, 0, ECONNREFUSED},
        {1500, 1600, 1700, 0, 1800, 0, 0, 0, ECONNRESET},
        {1500, 1600, 1700, 1750, 1800, 0, INT64_MAX, 599, EBADMSG},
        {.error = ECANCELED},
    };
    for (size_t i = 0; i < LENGTH(results); i++) {
        const struct result *in = &results[i];
        char *row = row_of("m", 1, INT_MAX, 1000, in);
        int request;
        struct result out;
        ck_assert_int_eq(result_read(row, &request, &out), 0);
        free(row);
        ck_assert_int_eq(request, INT_MAX);
        check_time(out.start_ns, in->start_ns, 1000);
        check_time(out.connected_ns, in->connected_ns, 1000);
        check_time(out.sent_ns, in->sent_ns, 1000);
        check_time(out.first_byte_ns, in->first_byte_ns, 1000);
        check_time(out.end_ns, in->end_ns, 1000);
        ck_assert_int_eq(out.server_wait_ns, in->server_wait_ns);
        ck_assert_int_eq(out.bytes, in->bytes);
        ck_assert_int_eq(out.status, in->status);
        ck_assert_int_eq(out.error, in->error);
    }
}
END_TEST

START_TEST(a_row_that_is_wrong_is_refused)
{
    static const char *const rows[] = {
        "",
        "m,0,0,,,,,,0,0,0",
        "m,0,0,,,,,,0,0,0,,",
        "m,0,,,,,,,0,0,0,",
        "m,0,x,,,,,,0,0,0,",
        "m,0,-1,,,,,,0,0,0,",
        "m,0,2147483648,,,,,,0,0,0,",
        "m,0,0,x,,,,,0,0,0,",
        "m,0,0,-1,,,,,0,0,0,",
        "m,0,0,,,,,1.5,0,0,0,",
        "m,0,0,,,,,99999999999999999999,0,0,0,",
        "m,0,0,,,,,,,0,0,",
        "m,0,0,,,,,,-5,0,0,",
        "m,0,0,,,,,,0,,0,",
        "m,0,0,,,,,,0,600,0,",
        "m,0,0,,,,,,0,0,,",
        "m,0,0,,,,,,0,0,-1,",
        "m,0,0,,,,,,0,0,0,EWHATEVER",
        "m,0,0,,,,,,0,0,0,0",
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char line[100];
        snprintf(line, sizeof line, "%s", rows[i]);
        int request;
        struct result result;
        ck_assert_msg(result_read(line, &request, &result) == -EINVAL, "%s", rows[i]);
    }
}
END_TEST

START_TEST(an_error_has_a_name_and_words)
{
    static const int errors[] = {ECONNRESET, ENODATA, EBADMSG, EPROTO, ETIMEDOUT,
                                 ECANCELED, ECONNREFUSED, EADDRNOTAVAIL, EMFILE};
    for (size_t i = 0; i < LENGTH(errors); i++) {
        ck_assert_int_eq(result_error_name(errors[i])[0], 'E');
        ck_assert_str_ne(result_error_words(errors[i]), strerror(errors[i]));
    }
    ck_assert_str_eq(result_error_name(0), "");
    ck_assert_str_eq(result_error_name(ECONNRESET), "ECONNRESET");
    ck_assert_str_eq(result_error_name(99999), "EIO");    /* a name that a reader knows */
    ck_assert_str_eq(result_error_words(ECONNRESET), "reset by the server");
    ck_assert_str_eq(result_error_words(ENOMEM), strerror(ENOMEM));
}
END_TEST

/* --- the suite -------------------------------------------------------------------- */

static void add_tables(Suite *suite)
{
    TCase *csv = suite_add(suite, "csv");
    tcase_add_unchecked_fixture(csv, make_folder, remove_folder);
    tcase_add_test(csv, text_comes_back_from_a_row_as_it_was);
    tcase_add_test(csv, text_is_quoted_only_where_it_must_be_and_stays_on_its_line);
    tcase_add_test(csv, a_row_of_any_form_is_taken_apart);
    tcase_add_test(csv, a_table_replaces_what_was_there);
    tcase_add_test(csv, asking_whether_a_table_can_be_written_changes_nothing);
    tcase_add_test(csv, a_full_disk_is_told_and_a_device_stays);
    tcase_add_test(csv, a_table_that_could_not_be_finished_is_removed);
    tcase_add_test(csv, a_link_to_a_table_that_could_not_be_finished_stays);
    TCase *result = suite_add(suite, "result");
    tcase_add_test(result, a_result_is_ok_when_a_whole_reply_says_so);
    tcase_add_test(result, a_result_has_a_row_that_matches_the_header);
    tcase_add_test(result, a_row_is_read_as_it_was_written);
    tcase_add_test(result, a_row_that_is_wrong_is_refused);
    tcase_add_test(result, an_error_has_a_name_and_words);
}

int main(void)
{
    Suite *suite = suite_create("kit: tables");
    add_tables(suite);
    return suite_end(suite);
}
