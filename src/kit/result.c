#define _GNU_SOURCE    /* strerrorname_np */
#include "kit/result.h"

#include "kit/array.h"
#include "kit/clock.h"
#include "kit/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char result_csv_header[] =
    "model,trial,request,start_ns,connected_ns,sent_ns,first_byte_ns,end_ns,"
    "server_wait_ns,status,bytes,error";

enum { FIELDS = 12, ERRNO_MOST = 4095 };    /* the kernel's MAX_ERRNO */

static const struct {
    int         error;
    const char *words;
} known[] = {
    {ECONNRESET, "reset by the server"},
    {ENODATA, "closed without a reply"},
    {EBADMSG, "the reply was cut short"},
    {EPROTO, "the reply is not HTTP"},
    {ETIMEDOUT, "no whole reply in time"},
    {ECANCELED, "never started"},
    {ECONNREFUSED, "connection refused: nobody listens there"},
    {EADDRNOTAVAIL, "no free port on this machine"},
    {ECHILD, "the process that made it was killed"},
    {EMFILE, "no free descriptor in this process"},
};

void result_end(struct result *result, const struct http_reader *reader, int error)
{
    result->status = reader->status;
    result->bytes = reader->body_bytes;
    result->server_wait_ns = reader->server_wait_ns;
    result->error = error == -EPIPE ? ECONNRESET : -error;
    result->end_ns = clock_ns();
}

bool result_ok(const struct result *result)
{
    return result->error == 0 && result->status >= 200 && result->status < 300;
}

const char *result_error_name(int error)
{
    const char *name = error ? strerrorname_np(error) : "";
    return name ? name : "EIO";
}

const char *result_error_words(int error)
{
    for (size_t i = 0; i < LENGTH(known); i++)
        if (known[i].error == error)
            return known[i].words;
    return strerror(error);
}

void result_write(FILE *csv, const char *model, int trial, int request, int64_t zero_ns,
                  const struct result *result)
{
    csv_text(csv, model);
    fprintf(csv, ",%d,%d", trial, request);
    const int64_t times[] = {result->start_ns, result->connected_ns, result->sent_ns,
                             result->first_byte_ns, result->end_ns};
    for (size_t i = 0; i < LENGTH(times); i++) {
        if (times[i])
            fprintf(csv, ",%" PRId64, times[i] - zero_ns);
        else
            putc(',', csv);
    }
    fprintf(csv, ",%" PRId64 ",%d,%" PRId64 ",%s\n", result->server_wait_ns,
            result->status, result->bytes, result_error_name(result->error));
}

/* No number of a row is ever negative. */
static int read_number(const char *field, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(field, &end, 10);
    return errno || end == field || *end || *value < 0 ? -EINVAL : 0;
}

static int read_error(const char *name, int *error)
{
    for (*error = 0; *error <= ERRNO_MOST; ++*error) {
        const char *candidate = strerrorname_np(*error);
        if (*error == 0 ? !*name : candidate && strcmp(candidate, name) == 0)
            return 0;
    }
    return -EINVAL;
}

int result_read(char *line, int *request, struct result *result)
{
    char *fields[FIELDS];
    if (csv_split(line, fields, FIELDS) != FIELDS)
        return -EINVAL;
    int64_t *const times[] = {&result->start_ns, &result->connected_ns, &result->sent_ns,
                              &result->first_byte_ns, &result->end_ns};
    for (size_t i = 0; i < LENGTH(times); i++) {
        *times[i] = -1;
        if (*fields[3 + i] && read_number(fields[3 + i], times[i]) != 0)
            return -EINVAL;
    }
    int64_t number, status;
    if (read_number(fields[2], &number) != 0 ||
        read_number(fields[8], &result->server_wait_ns) != 0 ||
        read_number(fields[9], &status) != 0 ||
        read_number(fields[10], &result->bytes) != 0)
        return -EINVAL;
    if (number > INT32_MAX || status > 599)
        return -EINVAL;
    *request = (int)number;
    result->status = (int)status;
    return read_error(fields[11], &result->error);
}
