/* Comma-separated values, RFC 4180: a header row, then one row a line. */
#ifndef KIT_CSV_H
#define KIT_CSV_H

#include <stdio.h>

/* 0 if a file can be written at path, else -errno. What is there stays as it is. */
int csv_writable(const char *path);

/* Opens path for writing, in place of what was there, and writes the header row.
   Returns the stream, which the caller hands to csv_finish, or NULL with errno. */
FILE *csv_create(const char *path, const char *header);

/* Closes the stream. If not all of it could be written, removes path when it is a
   regular file (half a table would pass for a whole one). Returns 0 or -errno. */
int csv_finish(FILE *csv, const char *path);

/* Writes one field of text, in quotes where it needs them. */
void csv_text(FILE *csv, const char *text);

/* Takes a row apart in place: fields[i] points into line, quotes undone, the line's end
   removed. Returns the number of fields, of which the first `most` are stored. */
int csv_split(char *line, char **fields, int most);

#endif
