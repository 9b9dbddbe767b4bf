/* The processors that the players stay on. */
#ifndef PINGPONG_CORES_H
#define PINGPONG_CORES_H

/* Writes the first processors that this process may use, `count` of them, into cpus.
   Returns 0, -ENODEV if there are fewer, or another -errno. */
int cores_choose(int *cpus, int count);

/* Binds the calling thread, and what it starts from then on. Returns 0 or -errno. */
int cores_bind(int cpu);

#endif
