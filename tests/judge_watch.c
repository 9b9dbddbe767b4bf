#include "tests/judge.h"

#include "kit/array.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RSS_MOST_KIB = 512 * 1024,
    SHOWN = 60,                 /* bytes of an output that a fact shows */
    QUOTED = 4 * SHOWN + 8      /* bytes that hold them as C writes them */
};

/* Between two readings; how long nothing changes before all counts as quiet, and before a
   verdict rests on it. None is a limit for the answer: it may take as long as it likes to
   get there. */
static const int64_t reading_ns = 4 * CLOCK_MS, settled_ns = 30 * CLOCK_MS,
                     stalled_ns = 300 * CLOCK_MS;

/* What an answer may use up while there is nothing to do; and the time that one has which
   still runs or polls. A call that waits as long as this waits for ever. */
static const int64_t idle_cpu_ms = 1000, idle_switches = 1000,
                     patience_ns = 9LL * CLOCK_S;

/* --- Quiescence --------------------------------------------------------------------- */

/* Asks the kernel for the TCP sockets of the machine in these states; sock_diag(7). */
static int ask_for_sockets(unsigned states)
{
    struct {
        struct nlmsghdr         header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = states},
    };
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    ck_assert_msg(fd >= 0 && send(fd, &question, sizeof question, 0) > 0, "sock_diag: %s",
                  strerror(errno));
    return fd;
}

static bool is_ours(const struct judge *judge, const struct inet_diag_sockid *id)
{
    for (int i = 0; i < JUDGE_PORTS && judge->ports[i] != 0; i++)
        if (judge->ports[i] == ntohs(id->idiag_sport) ||
            judge->ports[i] == ntohs(id->idiag_dport))
            return true;
    return false;
}

/* Whether anything is on its way to or from one of the ports: a connection half made, or
   bytes that the other end has not acknowledged. What has arrived and lies unread is not:
   whoever waited for it is awake by now. */
static bool under_way(const struct judge *judge)
{
    enum { ESTABLISHED = 1, SYN_SENT, SYN_RECEIVED, TIME_WAIT = 6, CLOSED, LISTENS = 10 };
    char buffer[16384] __attribute__((aligned(8)));
    bool found = false, more = true;
    int fd = ask_for_sockets(~(1U << TIME_WAIT | 1U << CLOSED | 1U << LISTENS));
    while (more) {
        ssize_t received = recv(fd, buffer, sizeof buffer, 0);
        ck_assert_msg(received > 0, "sock_diag: %s", strerror(errno));
        size_t left = (size_t)received;
        for (struct nlmsghdr *message = (void *)buffer; NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            ck_assert_msg(message->nlmsg_type != NLMSG_ERROR, "sock_diag: refused");
            more = more && message->nlmsg_type != NLMSG_DONE;
            struct inet_diag_msg *socket = NLMSG_DATA(message);
            found |= message->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
                     is_ours(judge, &socket->id) &&
                     (socket->idiag_state == SYN_SENT ||
                      socket->idiag_state == SYN_RECEIVED || socket->idiag_wqueue > 0);
        }
    }
    close(fd);
    return found;
}

/* What has been seen since something began to be awaited. */
struct watch {
    struct roll first, answer, server;
    int64_t     looked_ns;
    int64_t     quiet_ns;      /* for how long nothing has changed, nor could by itself */
    int64_t     restless_ns;   /* for how long that was due to the answer */
};

static void look_whether_ended(struct judge *judge)
{
    siginfo_t info = {0};
    waitid(P_PID, (id_t)judge->answer, &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == 0 || judge->ended)
        return;
    judge->ended = true;
    judge->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* What no right answer does, whatever the exercise. */
static void reject_excess(struct judge *judge, const struct roll *roll)
{
    struct {
        const char *what;
        int64_t     is, most;
    } limits[] = {
        {"processes", judge->started->processes, JUDGE_PROCESSES},
        {"threads", judge->started->threads, JUDGE_THREADS},
        {"KiB of memory", roll->rss_kib, RSS_MOST_KIB},
        {"bytes of output", lseek(judge->out_fd, 0, SEEK_END), JUDGE_OUTPUT - 1},
        {"bytes of messages", lseek(judge->err_fd, 0, SEEK_END), JUDGE_OUTPUT - 1},
    };
    for (size_t i = 0; i < LENGTH(limits); i++)
        if (limits[i].is > limits[i].most)
            judge_reject(judge, "it has made more than %" PRId64 " %s", limits[i].most,
                         limits[i].what);
}

/* An answer that goes on although nothing comes is told by what it uses up: CPU time, or
   a switch for each look. Time alone tells only of one that looks seldom. */
static void reject_restless(struct judge *judge, const struct watch *watch)
{
    int64_t cpu_ms = watch->answer.cpu_ms - watch->first.cpu_ms;
    int64_t switches = watch->answer.voluntary - watch->first.voluntary;
    const char *call = roll_name(&watch->answer.thread[0]);
    if (cpu_ms >= idle_cpu_ms + judge->work_cpu_ms ||
        switches >= idle_switches + judge->work_switches)
        judge_reject(judge, "spins: %" PRId64 " ms of CPU and %" PRId64
                     " voluntary context switches with nothing to do", cpu_ms, switches);
    if (watch->restless_ns < patience_ns)
        return;
    if (roll_asleep(&watch->answer, patience_ns))
        judge_reject(judge, "stuck in %s", call);
    judge_reject(judge, "polls: looks again and again (%s) although nothing comes", call);
}

static void watch_begin(struct watch *watch)
{
    memset(watch, 0, sizeof *watch);
    watch->looked_ns = clock_ns();
}

/* Reads once more, and counts for how long it has been so. No time is held against an
   answer that is ready to run and gets no CPU, or whose server gets none, nor more than a
   little for one reading: it may be the judge who gets none. */
static void watch_step(struct judge *judge, struct watch *watch)
{
    struct roll answer = {.tsan = judge->tsan}, server = {0};
    clock_sleep(reading_ns);
    look_whether_ended(judge);
    roll_call(judge->answer, &answer);
    if (judge->server)
        roll_call_process(judge->server, &server);
    bool same = roll_same(&answer, &watch->answer);
    bool rests = same && roll_asleep(&answer, patience_ns) &&
                 (judge->ended || answer.threads > 0);
    bool starves = same && !roll_asleep(&answer, 0);
    bool server_rests = roll_same(&server, &watch->server) &&
                        roll_asleep(&server, patience_ns);

    int64_t passed_ns = clock_ns() - watch->looked_ns;
    watch->looked_ns += passed_ns;
    bool quiet = rests && server_rests;
    watch->quiet_ns = quiet ? watch->quiet_ns + passed_ns : 0;
    if (!quiet && !starves && server_rests)
        watch->restless_ns += passed_ns < 5 * reading_ns ? passed_ns : 5 * reading_ns;
    watch->answer = answer;
    watch->server = server;
    if (watch->first.threads == 0)
        watch->first = answer;
    reject_excess(judge, &answer);
    if (!quiet && answer.threads > 0)
        reject_restless(judge, watch);
}

/* Whether all has been quiet for so long, and nothing is under way that would end it. */
static bool is_quiet(struct judge *judge, struct watch *watch, int64_t ns)
{
    if (watch->quiet_ns < ns)
        return false;
    if (!under_way(judge))
        return true;
    watch->restless_ns += watch->quiet_ns;
    watch->quiet_ns = 0;
    if (watch->answer.threads > 0)
        reject_restless(judge, watch);
    return false;
}

void judge_settle(struct judge *judge, struct roll *roll)
{
    struct watch watch;
    watch_begin(&watch);
    do
        watch_step(judge, &watch);
    while (!is_quiet(judge, &watch, settled_ns));
    if (roll)
        *roll = watch.answer;
}

/* Reads once more. Returns whether more may happen by itself; if not, a verdict may rest
   on what has. */
static bool watch_on(struct judge *judge, struct watch *watch)
{
    watch_step(judge, watch);
    return !is_quiet(judge, watch, judge->ended ? settled_ns : stalled_ns);
}

/* --- Words -------------------------------------------------------------------------- */

/* Writes text as C would, and its end as "..." if there is more than a fact can bear. */
static void quote(const char *text, char quoted[QUOTED])
{
    char *to = quoted;
    *to++ = '"';
    for (int i = 0; text[i] && i < SHOWN; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n')
            to += sprintf(to, "\\n");
        else
            to += sprintf(to, isprint(byte) ? "%c" : "\\x%02x", byte);
    }
    sprintf(to, strlen(text) > SHOWN ? "...\"" : "\"");
}

/* Says how it ended, as in "ended with status 0". */
static void describe_end(const struct judge *judge, char *text, size_t size)
{
    if (judge->status == 128 + SIGXFSZ)
        snprintf(text, size, "wrote more than %d KiB", JUDGE_OUTPUT / 1024);
    else if (judge->status == 128 + SIGSYS)
        snprintf(text, size, "tried to end a process that is not its own");
    else if (judge->status > 128)
        snprintf(text, size, "was ended by a signal: %s", strsignal(judge->status - 128));
    else
        snprintf(text, size, "ended with status %d", judge->status);
}

/* Says what it does: "asleep in recv", or how it ended. */
static const char *describe(const struct judge *judge, const struct watch *watch)
{
    static char text[128];
    if (judge->ended)
        describe_end(judge, text, sizeof text);
    else
        snprintf(text, sizeof text, "asleep in %s", roll_name(&watch->answer.thread[0]));
    return text;
}

/* --- What must happen --------------------------------------------------------------- */

/* The first byte in which they differ begins this line. */
static const char *line_at(const char *text, const char *other)
{
    size_t same = 0;
    while (text[same] && text[same] == other[same])
        same++;
    while (same > 0 && text[same - 1] != '\n')
        same--;
    return text + same;
}

static void quote_line(const char *line, char quoted[QUOTED])
{
    char one[SHOWN + 2];
    snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n") + 1, line);
    quote(one, quoted);
}

/* Rejects what is not the beginning of text. Returns whether it is all of it. */
static bool compare_output(struct judge *judge, const char *text)
{
    char *output = judge_output(judge);
    size_t length = strlen(output);
    bool whole = strcmp(output, text) == 0;
    if (strncmp(output, text, length) != 0) {
        char printed[QUOTED], due[QUOTED];
        quote_line(line_at(output, text), printed);
        quote_line(line_at(text, output), due);
        if (strcmp(due, "\"\"") == 0)
            judge_reject(judge, "printed %s, where nothing was due", printed);
        judge_reject(judge, "printed %s, where %s was due", printed, due);
    }
    free(output);
    return whole;
}

void judge_await_output(struct judge *judge, const char *text)
{
    struct watch watch;
    watch_begin(&watch);
    while (!compare_output(judge, text))
        if (!watch_on(judge, &watch)) {
            char due[QUOTED];
            char *output = judge_output(judge);
            quote_line(line_at(text, output), due);
            judge_reject(judge, "%s, and has not printed %s", describe(judge, &watch),
                         due);
        }
}

void judge_no_more_output(struct judge *judge, const char *text)
{
    judge_settle(judge, NULL);
    if (!compare_output(judge, text))
        judge_await_output(judge, text);
}

int judge_await_end(struct judge *judge)
{
    struct watch watch;
    watch_begin(&watch);
    while (!judge->ended)
        if (!watch_on(judge, &watch) && !judge->ended)
            judge_reject(judge, "never ends: %s", describe(judge, &watch));
    struct roll roll = {.tsan = judge->tsan};
    roll_call(judge->answer, &roll);
    if (roll.threads > 0)
        judge_reject(judge, "has ended, but a process that it started has not");
    judge_reject_reported(judge);
    return judge->status;
}

/* --- The server --------------------------------------------------------------------- */

void judge_port(struct judge *judge, int port)
{
    int i = 0;
    while (judge->ports[i] != 0)
        ck_assert_int_lt(++i, JUDGE_PORTS);
    judge->ports[i] = port;
}

void judge_serve(struct judge *judge, struct server *server)
{
    server_start(server, NULL);
    judge->server = server->program.pid;
    judge_port(judge, server->port);
}

void judge_await_in_flight(struct judge *judge, const struct server *server, int count)
{
    int64_t before = -1;
    for (;;) {
        struct watch watch;
        watch_begin(&watch);
        do    /* each question wakes the server: it is asked only when all is quiet */
            watch_step(judge, &watch);
        while (!is_quiet(judge, &watch, before < 0 ? settled_ns : stalled_ns));
        int64_t now = server_stat(server, "in_flight");
        if (now == count)
            return;
        if (now == before && judge->ended)
            judge_reject(judge, "%s with %d of %d in flight", describe(judge, &watch),
                         (int)now, count);
        if (now == before && now > count)
            judge_reject(judge, "%d in flight, where %d are due", (int)now, count);
        if (now == before)
            judge_reject(judge, "stalled with %d of %d in flight", (int)now, count);
        before = now;
    }
}
