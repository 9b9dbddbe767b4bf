/* What the checks of the exercises share. A check is a Check suite: each case starts the
   answer (the student's program) as a process of its own, deals with it through scripted
   peers or latency-server, and judges what can be seen from outside. The first case that
   rejects ends the check.

   No verdict depends on how fast anything goes. What must happen is awaited for as long
   as the answer can still do it: until it is quiescent, every thread asleep in a call
   that only somebody else can end, nothing on its way in any socket, nothing changed
   between two readings. Only an answer that runs or polls is given a bounded time. */
#ifndef TESTS_JUDGE_H
#define TESTS_JUDGE_H

#include "tests/judge_roll.h"
#include "tests/support.h"

#include <stdbool.h>

/* Judges the answer in the folder argv[1], case by case. Prints "passed: N cases", or
   "rejected: FACT" and "look: WHERE". Returns main's status: 0 passed, 1 rejected, 2 the
   judge could not work (an assertion of Check's failed), and says so on stderr. */
int judge_run(int argc, char **argv, const TTest *const *cases, size_t count);

/* Its argument. */
const char *judge_folder(void);

enum {
    JUDGE_PORTS = 32,
    JUDGE_TOKEN = 9,
    JUDGE_OUTPUT = 1 << 20,    /* bytes of one file that an answer may write */
    JUDGE_PROCESSES = 200,     /* that it may start, one after the other or at once */
    JUDGE_THREADS = 5000
};

/* What the answer has started so far, its first process and thread not counted. */
struct judge_started {
    pid_t group;
    int   processes, threads;
};

/* One case. Begins as JUDGE_NEW; the case sets look as it goes. */
struct judge {
    const char *look;           /* where to look if the present step is what rejects */

    /* What the answer may use up before it is said to spin, over a second of CPU time and
       a thousand voluntary switches: for a step that gives it work to do. */
    int64_t work_cpu_ms, work_switches;

    pid_t answer;               /* and its process group; 0: none was started */
    int   out_fd, err_fd;       /* what it has written so far */
    bool  tsan;                 /* built with ThreadSanitizer */
    struct judge_started *started;    /* shared with who counts */
    bool  ended;
    int   status;               /* then: its exit status, or 128 + the signal */

    pid_t server;               /* 0: none; it too must sleep before all is quiet */
    int   ports[JUDGE_PORTS];   /* those on which somebody here listens, 0: unused */
};

#define JUDGE_NEW {.look = "README.md, The check"}

/* Says the fact that disproves the answer, on one line, and ends the case. Where a
   sanitizer has reported something, its words are the fact, and where it was. */
__attribute__((format(printf, 2, 3)))
_Noreturn void judge_reject(struct judge *judge, const char *fact, ...);

/* Rejects an answer of which a sanitizer has reported something so far. */
void judge_reject_reported(struct judge *judge);

/* --- The answer --------------------------------------------------------------------- */

/* Starts one of the answer's builds, "program", "program-tsan" or "program-shim", with
   these arguments, NULL at their end, in this environment, and with nothing to read on
   standard input. One for each case. It can do no harm: what it writes is bounded, its
   processes are counted, it stays in its group, and all that it started is killed when
   the case ends. */
void judge_start(struct judge *judge, const char *build, const char *const arguments[]);

/* Whether ThreadSanitizer can start on this machine; says "skipped:" if not. */
bool judge_can_tsan(void);

/* What it has written to standard output so far; the caller frees it. */
char *judge_output(const struct judge *judge);

/* Waits until it is quiescent or has ended. Rejects one that runs or polls for ever.
   roll may be NULL; of an answer that has ended it is empty. */
void judge_settle(struct judge *judge, struct roll *roll);

/* Waits until all that it has written is exactly this text; rejects it when it writes
   something else, ends, or is quiescent before. */
void judge_await_output(struct judge *judge, const char *text);

/* Waits until it is quiescent, and rejects it if it has written anything but this. */
void judge_no_more_output(struct judge *judge, const char *text);

/* Waits until it has ended, and rejects it if it never does or leaves a process behind.
   Returns its exit status, or 128 + the signal that ended it. Leaks are reported then,
   and never of an answer whose end was not awaited. */
int judge_await_end(struct judge *judge);

/* From here on nothing is quiet while anything is under way to or from this port, where
   somebody of the judge's listens. Server and peers below do so by themselves. */
void judge_port(struct judge *judge, int port);

/* --- The server --------------------------------------------------------------------- */

/* server_start without further arguments, for this case. */
void judge_serve(struct judge *judge, struct server *server);

/* Waits until so many requests are in flight; rejects an answer that is quiescent before,
   as "stalled with 1 of 20 in flight". Gates must have ?timeout=60m. */
void judge_await_in_flight(struct judge *judge, const struct server *server, int count);

/* --- Peers: TCP servers in the judge's own hands ------------------------------------ */

struct peer {
    struct judge *judge;
    int           listen_fd, port;
    int           fd;          /* the connection, -1: none */
    pid_t         dripper;     /* 0: none */
    int64_t      *dripped;     /* bytes that it has sent or is sending, shared */
};

/* Listens on a free port of 127.0.0.1. */
void peer_open(struct peer *peer, struct judge *judge);

/* Awaits a connection; rejects an answer that is quiescent or ends without making one. */
void peer_accept(struct peer *peer);

/* Sends all of the text as one segment. Rejects an answer that has hung up. */
void peer_send(struct peer *peer, const char *text);

/* Awaits exactly this text from the answer; rejects anything else, or nothing. */
void peer_expect(struct peer *peer, const char *text);

/* Awaits that the answer hangs up; what it still says is dropped. */
void peer_expect_end(struct peer *peer);

/* From here on sends the byte again and again, until the peer ends. */
void peer_drip(struct peer *peer, char byte, int64_t interval_ns);

/* Ends the connection: in order; with a reset. The next peer_accept makes another. */
void peer_end(struct peer *peer);
void peer_reset(struct peer *peer);

/* Writes eight random letters and digits, so that nothing can be known beforehand. */
void judge_token(char token[JUDGE_TOKEN]);

#endif
