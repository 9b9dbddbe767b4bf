/* One thread at a time has the turn, and signals go to the wrong one. */
#include "../../tests/turns.c"

#include <stdint.h>
#include <stdio.h>

int64_t __real_clock_ns(void);
char *__real_fgets(char *, int, FILE *);
int64_t __wrap_clock_ns(void);
char *__wrap_fgets(char *, int, FILE *);

/* Hands over the turn: who calls it between a look and an act acts too late. */
int64_t __wrap_clock_ns(void)
{
    enter();
    go_last();
    leave();
    return __real_clock_ns();
}

char *__wrap_fgets(char *line, int size, FILE *file)
{
    step_out();
    char *got = __real_fgets(line, size, file);
    step_in();
    return got;
}
