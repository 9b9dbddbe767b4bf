#include "kit/units.h"

#include "kit/array.h"
#include "kit/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t     factor;
};

static const struct unit durations[] = {
    {"", CLOCK_S}, {"us", CLOCK_US}, {"ms", CLOCK_MS}, {"s", CLOCK_S},
    {"m", 60LL * CLOCK_S},
};
static const struct unit counts[] = {{"", 1}, {"k", 1000}, {"M", 1000000}};
static const struct unit sizes[] = {{"", 1}, {"K", 1024}, {"M", 1048576}};

/* Returns the factor of the unit called name, or 0. */
static int64_t find_factor(const char *name, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, units[i].name) == 0)
            return units[i].factor;
    return 0;
}

int units_parse_duration(const char *text, int64_t *ns)
{
    /* strtod alone would also take " 1", "-1", "0x1p3", "1e3" and "nan". */
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    if (digits == 0 || (size_t)(end - text) != digits)
        return -EINVAL;
    int64_t factor = find_factor(end, durations, LENGTH(durations));
    if (factor == 0)
        return -EINVAL;
    if (number * (double)factor >= 9e18)
        return -ERANGE;
    *ns = llround(number * (double)factor);
    return 0;
}

static int parse_whole(const char *text, const struct unit *units, size_t count,
                       int64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    int64_t factor = find_factor(text + digits, units, count);
    if (digits == 0 || factor == 0)
        return -EINVAL;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno == ERANGE || number > INT64_MAX / factor)
        return -ERANGE;
    *value = number * factor;
    return 0;
}

int units_parse_count(const char *text, int64_t *count)
{
    return parse_whole(text, counts, LENGTH(counts), count);
}

int units_parse_size(const char *text, int64_t *bytes)
{
    return parse_whole(text, sizes, LENGTH(sizes), bytes);
}

void units_format_duration(char text[UNITS_TEXT], int64_t ns)
{
    double value = (double)ns;
    const char *unit = "s";
    if (ns < CLOCK_MS - 500) {    /* from there on, three digits make it 1ms */
        value /= CLOCK_US;
        unit = "us";
    } else if (ns < CLOCK_S - 500 * CLOCK_US) {
        value /= CLOCK_MS;
        unit = "ms";
    } else {
        value /= CLOCK_S;
    }
    int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, UNITS_TEXT, "%.*f", decimals, value);
    if (strchr(text, '.')) {    /* 50.0 and 1.50 read better as 50 and 1.5 */
        size_t end = strlen(text);
        while (text[end - 1] == '0')
            end--;
        if (text[end - 1] == '.')
            end--;
        text[end] = '\0';
    }
    strncat(text, unit, UNITS_TEXT - strlen(text) - 1);
}
