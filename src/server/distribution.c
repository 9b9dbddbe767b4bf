#include "server/distribution.h"

#include "kit/array.h"
#include "kit/random.h"
#include "kit/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The standard normal's 99th percentile. */
static const double z99 = 2.3263478740408408;

static const struct form {
    const char *name;         /* up to the first parameter */
    const char *separator;    /* between the parameters; NULL if there is one alone */
    const char *wrong;        /* what to say of a text with the name, but not the form */
} forms[] = {
    [DISTRIBUTION_CONSTANT] = {
        .name = "",
        .wrong = "is neither a duration such as 50ms nor a distribution such as "
                 "uniform:10ms,90ms",
    },
    [DISTRIBUTION_UNIFORM] = {
        .name = "uniform:",
        .separator = ",",
        .wrong = "is not of the form uniform:10ms,90ms, the lower bound first",
    },
    [DISTRIBUTION_EXPONENTIAL] = {
        .name = "exponential:",
        .wrong = "is not of the form exponential:50ms, which is the mean",
    },
    [DISTRIBUTION_LOGNORMAL] = {
        .name = "lognormal:",
        .separator = ",p99=",
        .wrong = "is not of the form lognormal:50ms,p99=400ms, the median above 0 and "
                 "p99 no less",
    },
};

/* Reads the parameters, which text consists of. Returns whether they have the form. */
static int read_parameters(const char *text, const struct form *form,
                           struct distribution *distribution)
{
    if (!form->separator)
        return units_parse_duration(text, &distribution->first_ns) == 0;
    const char *separator = strstr(text, form->separator);
    char first[32];
    if (!separator || (size_t)(separator - text) >= sizeof first)
        return 0;
    snprintf(first, sizeof first, "%.*s", (int)(separator - text), text);
    const char *second = separator + strlen(form->separator);
    return units_parse_duration(first, &distribution->first_ns) == 0 &&
           units_parse_duration(second, &distribution->second_ns) == 0 &&
           distribution->first_ns <= distribution->second_ns;
}

const char *distribution_parse(const char *text, struct distribution *distribution)
{
    size_t kind = LENGTH(forms) - 1;    /* the first has no name, so it is tried last */
    while (strncmp(text, forms[kind].name, strlen(forms[kind].name)) != 0)
        kind--;
    *distribution = (struct distribution){.kind = (enum distribution_kind)kind};
    if (!read_parameters(text + strlen(forms[kind].name), &forms[kind], distribution))
        return forms[kind].wrong;
    if (kind == DISTRIBUTION_LOGNORMAL && distribution->first_ns == 0)
        return forms[kind].wrong;    /* it has no logarithm */
    return NULL;
}

int64_t distribution_largest(const struct distribution *distribution)
{
    return distribution->first_ns > distribution->second_ns ? distribution->first_ns
                                                            : distribution->second_ns;
}

/* Box and Muller, "A Note on the Generation of Random Normal Deviates", Annals of
   Mathematical Statistics 29 (1958); of its pair the second is not needed. */
static double draw_normal(uint64_t *stream)
{
    double radius = sqrt(-2.0 * log1p(-random_unit(stream)));
    return radius * cos(2.0 * 3.14159265358979323846 * random_unit(stream));
}

/* Uniform and exponential by inversion: Devroye, "Non-Uniform Random Variate Generation"
   (1986), II.2. Of a lognormal the logarithm is normal, so its quantiles are e to the
   power of the normal's: the median gives mu, and p99 = median * e^(sigma z99). */
int64_t distribution_draw(const struct distribution *distribution, uint64_t *stream)
{
    double first = (double)distribution->first_ns;
    double second = (double)distribution->second_ns;
    double drawn = first;
    switch (distribution->kind) {
    case DISTRIBUTION_CONSTANT:
        return distribution->first_ns;
    case DISTRIBUTION_UNIFORM:
        drawn = first + (second - first) * random_unit(stream);
        break;
    case DISTRIBUTION_EXPONENTIAL:
        drawn = -first * log1p(-random_unit(stream));
        break;
    case DISTRIBUTION_LOGNORMAL:
        drawn = first * exp(log(second / first) / z99 * draw_normal(stream));
        break;
    }
    return drawn < 9e18 ? (int64_t)drawn : INT64_MAX;
}
