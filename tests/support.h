/* What the tests share: a folder, programs to start and end, a server, and clients that
   can also misbehave. All of it fails the running test by itself where something can't
   be done. Nothing here waits longer than AWAIT_NS, a guard against hanging only. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include "kit/clock.h"

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef BUILD_DIR
#define BUILD_DIR "build"
#endif

#define AWAIT_NS (60LL * CLOCK_S)

/* Adds a case to the suite, with a guard against tests that hang. */
TCase *suite_add(Suite *suite, const char *name);

/* Runs and frees the suite, each test in a process of its own. Returns main's status. */
int suite_end(Suite *suite);

/* All in one: runs the tests between before and after, which may be NULL. */
int suite_run(const char *name, const TTest *const *tests, size_t count,
              void (*before)(void), void (*after)(void));

/* Of what a program says: that these words are in it; that it is exactly one line, as a
   sentence is that tells what is wrong, and why. */
void assert_says(const char *text, const char *words);
void assert_one_sentence(const char *text);

/* --- A folder ----------------------------------------------------------------------- */

/* Makes the test's own folder, which is TMPDIR for all that it starts from then on. */
void folder_make(void);

/* The path of a file in the folder, or of the folder if name is empty. Good until the
   next call of any of these. */
const char *folder_path(const char *name);

void folder_write(const char *name, const char *text);

/* Returns what is in a file, which the caller frees; NULL if it is not there. */
char *folder_read(const char *name);

/* Removes all files in it, and empty folders. */
void folder_empty(void);

/* Removes the folder, and asserts that it was empty. */
void folder_remove(void);

/* --- Programs ----------------------------------------------------------------------- */

struct program {
    pid_t pid;
    int   out_fd, err_fd;    /* files that hold what it has written so far */
};

struct output {
    char *out, *err;
};

/* Starts argv[0] with argv, NULL at its end. It is killed if the test dies. */
void program_start(struct program *program, const char *const argv[]);

/* Sends it the signal, unless that is 0, and awaits its end. Returns its exit status, or
   128 + the signal that ended it. A sanitizer's report fails the test. output may be
   NULL; else output_free frees it. */
int program_end(struct program *program, int signal, struct output *output);

/* Both in one. */
int program_run(const char *const argv[], struct output *output);

void output_free(struct output *output);

/* From here on this system call (SYS_...) fails with error, in the calling process and in
   those that it starts. Cannot be undone: for a test in a process of its own. */
void refuse_system_call(long number, int error);

/* Awaits a whole line on its standard output that starts so, and copies what follows. */
void program_await_line(struct program *program, const char *start, char *rest,
                        size_t size);

/* Awaits that it takes a signal whose handler goes with the first use (SA_RESETHAND): the
   next one of that kind then ends it. */
void program_await_taken(const struct program *program, int signal);

/* --- The server --------------------------------------------------------------------- */

struct server {
    struct program program;
    int            port;
};

/* Starts latency-server on a free port with these further arguments, NULL at the end. */
void server_start(struct server *server, ...) __attribute__((sentinel));

/* The same for any program that says "listening on" as latency-server does. */
void server_start_as(struct server *server, const char *const argv[]);

/* Ends it with SIGTERM and asserts that all is well. */
void server_stop(struct server *server);

/* One number of /stats. */
int64_t server_stat(const struct server *server, const char *name);

/* Asks for it again and again until it has that value. */
void server_await_stat(const struct server *server, const char *name, int64_t value);

/* --- Clients ------------------------------------------------------------------------ */

/* Returns a connected socket, which the caller closes. */
int client_connect(int port);

/* Sends all of text. */
void client_send(int fd, const char *text);

/* Sends a GET for target; more header lines, each with its line's end, may follow. */
void client_ask(int fd, const char *target, const char *fields);

/* Reads to the connection's end. Returns the number of bytes, and buf ends with a NUL
   that is not counted; or -errno, -ECONNRESET for a reset. What cannot fit is dropped. */
ssize_t client_read_all(int fd, char *buf, size_t size);

/* Reads one reply, and no byte more; it must fit. Returns its status, or 0 where the
   connection ended. A reply to HEAD has no body. */
int client_read_reply(int fd, char *buf, size_t size);
int client_read_head(int fd, char *buf, size_t size);

/* Connects, gets target, reads to the end, closes. Returns the status, 0 if there is
   none; buf has the whole reply. */
int client_get(int port, const char *target, char *buf, size_t size);

/* Of a whole reply: where its body begins; what the server says that it waited. */
const char *reply_body(const char *reply);
int64_t reply_wait_ns(const char *reply);

#endif
