/* A small seeded generator, so that a run can be had again from its seed.
   Not for secrets. */
#ifndef KIT_RANDOM_H
#define KIT_RANDOM_H

#include <stdint.h>

/* The next 64 bits; *state may start from any value. This is SplitMix64: Steele, Lea
   and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 16. */
uint64_t random_next(uint64_t *state);

/* A state that depends on all three numbers and on nothing else: a stream of its own
   for each purpose and each item. */
uint64_t random_stream(uint64_t seed, uint64_t purpose, uint64_t item);

/* Uniform in [0, 1), with 53 bits. */
double random_unit(uint64_t *state);

#endif
