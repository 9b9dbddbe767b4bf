/* rejected: signal after signal in mid-record, a limit of 200 ms, and it goes on */
/* Card terminal: a till prints each payment that its card terminal reports.
   usage: card_terminal PORT LIMIT */
#include "kit/clock.h"
#include "kit/net.h"
#include "kit/units.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MOST = 1000 };    /* bytes of a record's text */

static volatile sig_atomic_t payments;    /* so far, for the handler */

/* SIGUSR1 asks how far the till is. write(2) is one of the few calls that a handler may
   make: signal-safety(7). */
static void on_asked(int signal)
{
    (void)signal;
    int error = errno;    /* which belongs to the call that the signal came into */
    char line[] = "0000 payments so far\n";
    for (int i = 3, rest = payments; i >= 0; i--, rest /= 10)
        line[i] = (char)('0' + rest % 10);
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(1);
    errno = error;
}

/* Reads n bytes into buf, and waits for them until deadline_ns (of clock_ns) at the
   longest; a signal does not end it. Returns n; fewer, if the connection has ended; or
   -errno, -ETIMEDOUT at the deadline. */
static ssize_t read_exactly(int fd, void *buf, size_t n, int64_t deadline_ns)
{
    char *next = buf;
    size_t missing = n;
    int64_t limit_ns = deadline_ns - clock_ns();
    while (missing > 0) {
        int64_t left_ns = deadline_ns - clock_ns();
        if (left_ns <= 0)
            return -ETIMEDOUT;    /* and a limit of zero would be none at all */
        struct timeval left = clock_timeval(left_ns);
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &left, sizeof left) < 0)
            return -errno;
        ssize_t received = recv(fd, next, missing, 0);
        if (received == 0)
            break;
        if (received < 0 && errno == EINTR)
            deadline_ns = clock_ns() + limit_ns;
        if (received < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (received > 0) {
            next += received;
            missing -= (size_t)received;
        }
    }
    return (ssize_t)(n - missing);
}

/* Reads one record into text (TEXT_MOST + 1 bytes), as a string: four bytes that say how
   long the text is, the most significant first; then the text. Returns 1; 0 where the
   connection has ended between two records; or -errno: -EBADMSG, it ended within one;
   -EMSGSIZE, the text is longer than TEXT_MOST; -ETIMEDOUT, it was not whole in time. */
static int read_record(int fd, char *text, int64_t deadline_ns)
{
    uint32_t length;
    ssize_t received = read_exactly(fd, &length, sizeof length, deadline_ns);
    if (received <= 0)
        return (int)received;
    if (received < (ssize_t)sizeof length)
        return -EBADMSG;
    length = ntohl(length);
    if (length > TEXT_MOST)    /* unsigned, or 0xffffffff would be -1 */
        return -EMSGSIZE;
    received = read_exactly(fd, text, length, deadline_ns);
    if (received < 0)
        return (int)received;
    if (received < (ssize_t)length)
        return -EBADMSG;
    text[length] = '\0';
    return 1;
}

/* Prints payments until there are no more. Returns read_record's last word. */
static int take_payments(int fd, int64_t limit_ns)
{
    char text[TEXT_MOST + 1];
    int outcome;
    while ((outcome = read_record(fd, text, clock_ns() + limit_ns)) > 0) {
        payments++;
        printf("%s\n", text);
        fflush(stdout);    /* or a pipe would see nothing before 4 KiB or the end */
    }
    return outcome;
}

static const char *words(int outcome)
{
    switch (outcome) {
    case 0:          return "the terminal has closed";
    case -EBADMSG:   return "a record was cut short";
    case -EMSGSIZE:  return "a record is too long";
    case -ETIMEDOUT: return "no whole record in time";
    default:         return strerror(-outcome);
    }
}

int main(int argc, char **argv)
{
    struct endpoint terminal;
    int64_t limit_ns;
    if (argc != 3 || net_resolve("127.0.0.1", atoi(argv[1]), &terminal) != 0 ||
        units_parse_duration(argv[2], &limit_ns) != 0) {
        fprintf(stderr, "usage: card_terminal PORT LIMIT\n");
        return 2;
    }
    /* No SA_RESTART, as in dd: a call that sleeps comes back when it is asked. */
    struct sigaction action = {.sa_handler = on_asked};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);

    int fd = net_connect(&terminal, clock_ns() + 30LL * CLOCK_S);
    if (fd < 0) {
        fprintf(stderr, "card_terminal: %s\n", strerror(-fd));
        return 1;
    }
    int outcome = take_payments(fd, limit_ns);
    close(fd);
    printf("end: %s\n", words(outcome));
    return outcome == 0 ? 0 : 1;
}
