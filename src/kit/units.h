/* Durations, counts and sizes as people write them on a command line and in a URL. */
#ifndef KIT_UNITS_H
#define KIT_UNITS_H

#include <stddef.h>
#include <stdint.h>

enum { UNITS_TEXT = 24 };    /* bytes that hold any text written here */

/* Each reads the whole text, or nothing: 0, -EINVAL (not of that form) or
   -ERANGE (too large for 64 bits); the value is written on success alone. */

/* "250us", "50ms", "2s", "1m", or seconds: "0.05". In ns. */
int units_parse_duration(const char *text, int64_t *ns);

/* "100", "10k", "2M": k is 1,000 and M 1,000,000. */
int units_parse_count(const char *text, int64_t *count);

/* "65536", "64K", "8M": K is 1,024 bytes and M 1,048,576. */
int units_parse_size(const char *text, int64_t *bytes);

/* Writes ns with three significant digits and the unit that suits: "1.5ms". */
void units_format_duration(char text[UNITS_TEXT], int64_t ns);

#endif
