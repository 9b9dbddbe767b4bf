#include "bench/schedule.h"

#include "kit/random.h"

enum { ORDER = 0x0bde };    /* the stream of random numbers that orders trials */

int64_t schedule_cost(const struct cell *cells, int count, int64_t trials)
{
    int64_t sum_ns = 0;
    for (int i = 0; i < count; i++)
        sum_ns += cells[i].cost_ns * trials;
    return sum_ns;
}

/* Insertion: there are a few dozen, and equal ones must keep their order, as they would
   not with qsort(3). */
static void sort(struct cell *cells, int count)
{
    for (int i = 1; i < count; i++) {
        struct cell moving = cells[i];
        int at = i;
        for (; at > 0 && cells[at - 1].ideal_ns > moving.ideal_ns; at--)
            cells[at] = cells[at - 1];
        cells[at] = moving;
    }
}

int schedule_choose(struct cell *cells, int count, int64_t trials, int64_t budget_ns)
{
    sort(cells, count);
    int taken = 0;
    while (taken < count && schedule_cost(cells, taken + 1, trials) <= budget_ns)
        taken++;
    return taken;
}

/* Fisher and Yates, in Durstenfeld's form: every order is as likely as any other. */
static void shuffle(int *order, int count, uint64_t *state)
{
    for (int i = count - 1; i > 0; i--) {
        int other = (int)(random_unit(state) * (i + 1));
        int kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

void schedule_shuffle(const struct cell *cells, int *order, int count, uint64_t seed,
                      int trial)
{
    uint64_t state = random_stream(seed, ORDER, (uint64_t)trial);
    int bases = 0;
    for (int i = 0; i < count; i++)
        if (cells[i].base)
            order[bases++] = i;
    int others = bases;
    for (int i = 0; i < count; i++)
        if (!cells[i].base)
            order[others++] = i;
    shuffle(order, bases, &state);
    shuffle(order + bases, count - bases, &state);
}
