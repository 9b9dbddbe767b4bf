/* What the server has seen and done so far: the numbers behind /stats. */
#ifndef SERVER_TALLY_H
#define SERVER_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* At any moment requests = answered + faults + gone + in_flight. */
struct tally {
    int64_t connections;       /* accepted */
    int64_t requests;          /* arrived whole */
    int64_t in_flight;         /* arrived, and not yet one of the next three */
    int64_t peak_in_flight;
    int64_t answered;          /* the whole reply was handed over to be sent */
    int64_t faults;            /* made on purpose */
    int64_t gone;              /* the client left before its reply */
};

/* A request has arrived. */
void tally_arrive(struct tally *tally);

/* It has come to its end: outcome points to answered, faults or gone of this tally. */
void tally_settle(struct tally *tally, int64_t *outcome);

/* All counters back to zero. What is in flight stays so, and is counted as arrived. */
void tally_reset(struct tally *tally);

enum { TALLY_TEXT = 256 };    /* bytes that hold any tally as JSON */

/* Writes one JSON object and a line's end. */
void tally_format(const struct tally *tally, char text[TALLY_TEXT]);

#endif
