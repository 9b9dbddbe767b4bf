#include "kit/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int csv_writable(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0)
        unlink(path);    /* not there before; a run that fails shall leave nothing */
    else if (errno == EEXIST)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

FILE *csv_create(const char *path, const char *header)
{
    FILE *csv = fopen(path, "we");
    if (csv)
        fprintf(csv, "%s\n", header);
    return csv;
}

int csv_finish(FILE *csv, const char *path)
{
    errno = 0;
    int error = 0;
    if (fflush(csv) == EOF || ferror(csv))    /* a full disk shows here or at the close */
        error = errno ? -errno : -EIO;
    if (fclose(csv) == EOF && !error)
        error = -errno;
    struct stat status;    /* of path itself: a link, as /dev/stdout may be, stays */
    if (error && lstat(path, &status) == 0 && S_ISREG(status.st_mode))
        unlink(path);
    return error;
}

void csv_text(FILE *csv, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, csv);
        return;
    }
    putc('"', csv);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', csv);
        putc(strchr("\r\n", *text) ? ' ' : *text, csv);    /* a row stays on one line */
    }
    putc('"', csv);
}

/* Undoes the quotes of a field, in place. Returns where it ended before that. */
static char *unquote(char *field)
{
    char *to = field;
    char *from = field + 1;
    for (; *from; from++) {
        if (*from == '"' && *++from != '"')
            break;    /* the closing quote; a pair of them stands for one */
        *to++ = *from;
    }
    *to = '\0';    /* behind from by at least the opening quote */
    return from + strcspn(from, ",");
}

int csv_split(char *line, char **fields, int most)
{
    line[strcspn(line, "\r\n")] = '\0';
    int count = 0;
    for (;;) {
        if (count < most)
            fields[count] = line;
        count++;
        char *end = *line == '"' ? unquote(line) : line + strcspn(line, ",");
        if (*end == '\0')
            return count;
        *end = '\0';
        line = end + 1;
    }
}
