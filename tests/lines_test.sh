#!/bin/sh
# src/lines.sh counts what is there, on models made up for it.
set -u
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$scratch/models.c" <<'END'
#include "models/models.h"
const struct model *const models[] = {
    &model_plain,
    &model_loop,
    NULL,
};
END

# 9 lines and a function of its own; what it shares is charged too, what all have is not.
cat >"$scratch/plain.c" <<'END'
/* A comment is no code,
   on however many lines. */
#include "models/models.h"
#include "models/shared.h"

static int one(int a,       // nor is this
               int b)
{
    return a + b;           /* but this line is */
}
static int on_the_shelf;    /* no function, for it has no body */
int two(void);              /* nor is a declaration */
END

cat >"$scratch/shared.h" <<'END'
int shared(void);
END

cat >"$scratch/shared.c" <<'END'
#include "models/shared.h"
int shared(void)
{
    return 0;
}
END

cat >"$scratch/loop.c" <<'END'
static void on_readable(struct request *request)
{
    on_timeout(request);
}
#ifdef WITH_LIBRARY
static struct entry *on_done(struct request *request)
{
    return 0;
}
#else
static int refuse(void)
{
    return -1;
}
#endif
#ifndef WITH_LIBRARY
static int refuse_again(void)
{
    return -1;
}
#else
static int run(struct request *request, void (*on_ready)(struct request *))
{
    return 0;
}
#endif
END

cat >"$scratch/expected" <<'END'
model,lines,functions,callbacks
plain,15,2,0
loop,12,3,2
END

src/lines.sh "$scratch" >"$scratch/said" || exit 1
diff "$scratch/expected" "$scratch/said" >&2 || exit 1

# Of the kit's own models: a row for each, and none that is empty.
models=$(grep -c '^    &model_' src/models/models.c)
[ "$(src/lines.sh | grep -cE '^[a-z]+,[1-9][0-9]*,[1-9][0-9]*,[0-9]+$')" -eq "$models" ] || {
    echo "lines_test.sh: not each of the $models models has a row" >&2
    exit 1
}
