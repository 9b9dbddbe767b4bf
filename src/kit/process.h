/* Starting a program so that it does not outlive us. */
#ifndef KIT_PROCESS_H
#define KIT_PROCESS_H

#include "kit/cpus.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_PATH = 4096 };

struct process_spec {
    char *const       *argv;    /* argv[0] is the file's path; ends with NULL */
    const struct cpus *cpus;    /* bound to these; NULL: to none */
    int                out;     /* its standard output; -1: /dev/null */
    int                err;     /* its standard error; -1: the caller's */
};

/* Starts the program in a process group of its own, which a terminal's Ctrl-C does not
   reach, with /dev/null for standard input. It is killed when the calling process ends.
   What can't be started says so on its standard error and exits with 127. Returns the
   process, for the caller to wait for, or -errno. */
pid_t process_start(const struct process_spec *spec);

/* The same, with its standard output, whatever spec says, to be read from *out, which is
   the caller's to close. */
pid_t process_open(const struct process_spec *spec, int *out);

/* Reads a line, without its end. Returns 0, -ETIMEDOUT, -ENODATA (its writer has closed
   before), -EMSGSIZE (it does not fit), or another -errno. */
int process_read_line(int fd, int64_t deadline_ns, char *line, size_t size);

/* Asks the child to end, by SIGTERM, insists after patience_ns, and waits for its end.
   Returns its status as waitpid(2) tells it. */
int process_end(pid_t pid, int64_t patience_ns);

/* Runs the program to its end and collects what it prints, cut to size - 1 bytes. Returns
   its status as waitpid(2) tells it, or -errno; -ETIMEDOUT after ten seconds. */
int process_capture(char *const *argv, char *text, size_t size);

/* Writes "ended with status 1" or "was killed by signal 9 (Killed)". */
void process_format_status(int status, char *text, size_t size);

/* The path of a program that lies beside the one that runs. Returns 0 or -errno. */
int process_sibling(const char *name, char path[PROCESS_PATH]);

#endif
