#include "tests/models_support.h"

#include <stdio.h>

const struct model *able[16];

int find_able(void)
{
    int count = 0;
    for (const struct model *const *model = models; *model; model++) {
        const char *why = (*model)->unavailable ? (*model)->unavailable() : NULL;
        if (why)
            printf("skipped: %s: %s\n", (*model)->name, why);
        else
            able[count++] = *model;
    }
    fflush(stdout);
    return count;
}
