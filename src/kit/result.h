/* What became of one request, and its row in requests.csv. */
#ifndef KIT_RESULT_H
#define KIT_RESULT_H

#include "kit/http.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Times are CLOCK_MONOTONIC ns; 0 = never got that far. */
struct result {
    int64_t start_ns, connected_ns, sent_ns, first_byte_ns, end_ns;
    int64_t server_wait_ns;    /* what the server says that it waited */
    int64_t bytes;             /* of the body */
    int     status;            /* HTTP status, 0 = no reply */
    int     error;             /* 0 = a whole reply arrived; else why not, below */
};

/* The errors have the same names in every model:
     ECONNRESET  reset by the server           ENODATA    closed without a reply
     EBADMSG     the reply was cut short       EPROTO     the reply is not HTTP
     ETIMEDOUT   no whole reply in time        ECANCELED  the request was never started
     ECHILD      its process was killed
   and what connect(2) and socket(2) say: ECONNREFUSED, EADDRNOTAVAIL, EMFILE, ... */

/* The request has ended, now: with 0 or -errno, and with as much of a reply as
   the reader has seen. -EPIPE is the server's reset too, met while sending,
   and becomes ECONNRESET. */
void result_end(struct result *result, const struct http_reader *reader, int error);

/* A whole reply arrived, and its status is 2xx. */
bool result_ok(const struct result *result);

/* The error's name, "ECONNRESET", or "" for 0. */
const char *result_error_name(int error);

/* The error in words, "reset by the server". */
const char *result_error_words(int error);

/* The header row of requests.csv, without the line's end. */
extern const char result_csv_header[];

/* Writes one row. Times are written from zero_ns, the run's start, on; a time that was
   never reached is left empty. */
void result_write(FILE *csv, const char *model, int trial, int request, int64_t zero_ns,
                  const struct result *result);

/* Reads a row of that form (line is taken apart in place; model and trial are passed
   over). Times count from the run's start; empty = -1 here, since 0 is a time.
   Returns 0, or -EINVAL. */
int result_read(char *line, int *request, struct result *result);

#endif
