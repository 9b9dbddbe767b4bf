/* How long a delay lasts: always the same, or drawn at random. Pure: knows no clock. */
#ifndef SERVER_DISTRIBUTION_H
#define SERVER_DISTRIBUTION_H

#include <stdint.h>

enum distribution_kind {
    DISTRIBUTION_CONSTANT,       /* first */
    DISTRIBUTION_UNIFORM,        /* between first and second */
    DISTRIBUTION_EXPONENTIAL,    /* of mean first */
    DISTRIBUTION_LOGNORMAL       /* of median first and 99th percentile second */
};

struct distribution {
    enum distribution_kind kind;
    int64_t                first_ns, second_ns;    /* second is 0 where it has none */
};

/* Reads "50ms", "uniform:10ms,90ms", "exponential:50ms" or "lognormal:50ms,p99=400ms".
   Returns NULL, or what is wrong with text, in words. */
const char *distribution_parse(const char *text, struct distribution *distribution);

/* The largest of its parameters. A draw of the latter two kinds may be larger still. */
int64_t distribution_largest(const struct distribution *distribution);

/* Draws once, from a stream of random.h. In ns, 0 or more. */
int64_t distribution_draw(const struct distribution *distribution, uint64_t *stream);

#endif
