#include "kit/random.h"

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t random_stream(uint64_t seed, uint64_t purpose, uint64_t item)
{
    uint64_t state = seed;
    state = random_next(&state) ^ purpose;
    state = random_next(&state) ^ item;
    return random_next(&state);
}

double random_unit(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}
