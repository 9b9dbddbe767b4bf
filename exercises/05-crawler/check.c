/* The check of "crawler": the list of README.md, point by point. The judge is the site:
   it waits until every worker sleeps, looks which pages have been asked for, and decides
   which of them to answer. Their names are random. */
#include "tests/judge.h"

#include "kit/array.h"
#include "kit/net.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAGES = 80, WORKERS = 8, LATER = 10 };

/* Somebody who has connected; fd is -1 when the answer has been given. */
struct visit {
    int  fd;
    bool asked;             /* the request is whole */
    char request[1024];
    char path[64];
};

struct site {
    struct judge judge;
    struct roll  roll;      /* of the last time that all slept */
    const char  *when;      /* what is special about this case, for the fact; or "" */
    bool         lenient;   /* it is the output that will tell what was asked twice */
    int          listen_fd, workers;
    struct visit visit[PAGES];
    int          visits;
    char         name[PAGES][JUDGE_TOKEN + 1];    /* pages: "/" and a token; 0 is "/" */
};

static const char look_wait[] = "who waits for what: a page, or that nobody is busy";

static void open_site(struct site *site, const char *when)
{
    memset(site, 0, sizeof *site);
    site->when = when;
    site->judge.look = look_wait;
    site->listen_fd = net_listen("127.0.0.1", 0, PAGES);
    ck_assert_int_ge(site->listen_fd, 0);
    judge_port(&site->judge, net_port(site->listen_fd));
    for (int i = 0; i < PAGES; i++) {
        site->name[i][0] = '/';
        if (i > 0)
            judge_token(site->name[i] + 1);
    }
}

static void begin(struct site *site, const char *build, int workers)
{
    static char count[16], url[64];
    snprintf(count, sizeof count, "%d", workers);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", net_port(site->listen_fd));
    site->workers = workers;
    judge_start(&site->judge, build, (const char *const[]){count, url, NULL});
}

/* --- What is asked ------------------------------------------------------------------ */

static int find_page(const struct site *site, const char *path)
{
    for (int i = 0; i < PAGES; i++)
        if (strcmp(site->name[i], path) == 0)
            return i;
    return -1;
}

static void hang_up(struct visit *visit)
{
    close(visit->fd);
    visit->fd = -1;
}

/* Reads what has come of a request. Returns whether it is whole. */
static bool read_request(struct visit *visit)
{
    size_t length = strlen(visit->request);
    ssize_t received = recv(visit->fd, visit->request + length,
                            sizeof visit->request - 1 - length, MSG_DONTWAIT);
    if (received == 0)
        hang_up(visit);    /* it has left, and asks for nothing any more */
    return received > 0 && strstr(visit->request, "\r\n\r\n") != NULL;
}

/* Notes what a visit asks for, which must be a page that nobody has asked for yet. */
static void note_request(struct site *site, struct visit *visit)
{
    visit->asked = true;
    if (sscanf(visit->request, "GET %63s HTTP/1.1", visit->path) == 1 && site->lenient)
        return;
    if (find_page(site, visit->path) < 0)
        judge_reject(&site->judge, "asked for %s, which no page links to", visit->path);
    for (struct visit *other = site->visit; other < site->visit + site->visits; other++)
        if (other != visit && other->asked && strcmp(other->path, visit->path) == 0)
            judge_reject(&site->judge, "%spage %s was asked for twice", site->when,
                         visit->path);
}

/* Lets in who has come, and hears what they ask. Waits for nothing. */
static void attend(struct site *site)
{
    int fd;
    while (site->visits < PAGES && (fd = accept(site->listen_fd, NULL, NULL)) >= 0)
        site->visit[site->visits++] = (struct visit){.fd = fd};
    for (int i = 0; i < site->visits; i++)
        if (!site->visit[i].asked && site->visit[i].fd >= 0 &&
            read_request(&site->visit[i]))
            note_request(site, &site->visit[i]);
}

static int in_flight(const struct site *site)
{
    int count = 0;
    for (int i = 0; i < site->visits; i++)
        count += site->visit[i].asked && site->visit[i].fd >= 0;
    return count;
}

/* Waits until every worker sleeps, or all has ended. */
static void settle(struct site *site)
{
    judge_settle(&site->judge, &site->roll);
    attend(site);
    if (in_flight(site) > site->workers)
        judge_reject(&site->judge, "%s%d in flight at once, where P is %d", site->when,
                     in_flight(site), site->workers);
}

/* --- What is answered --------------------------------------------------------------- */

/* A page whose text links to these pages, and says other things as well. */
static int write_page(const struct site *site, char *reply, size_t size, int first,
                      int count)
{
    char text[4096] = "A page.\n";
    for (int i = first; i < first + count; i++)
        sprintf(text + strlen(text), "%s %d\nno/link %d\n", site->name[i], i, i);
    return snprintf(reply, size, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                    strlen(text), text);
}

static struct visit *find_visit(struct site *site, int page)
{
    for (int i = 0; i < site->visits; i++)
        if (site->visit[i].fd >= 0 && find_page(site, site->visit[i].path) == page)
            return &site->visit[i];
    judge_reject(&site->judge, "%spage %s was never asked for", site->when,
                 site->name[page]);
}

/* Answers page with links to `count` pages from `first` on. */
static void answer(struct site *site, int page, int first, int count)
{
    char reply[8192];
    struct visit *visit = find_visit(site, page);
    int length = write_page(site, reply, sizeof reply, first, count);
    send(visit->fd, reply, (size_t)length, MSG_NOSIGNAL);    /* gone: it will be missed */
    hang_up(visit);
}

/* Answers those of the pages from first on that are in flight, with no links. Returns how
   many these were. */
static int answer_all(struct site *site, int first, int most)
{
    int answered = 0;
    for (int i = 0; i < site->visits && answered < most; i++)
        if (site->visit[i].asked && site->visit[i].fd >= 0) {
            int page = find_page(site, site->visit[i].path);
            if (page < first)
                continue;
            answer(site, page, 0, 0);
            answered++;
        }
    return answered;
}

/* --- What must be seen -------------------------------------------------------------- */

/* What those do who are not in flight, as in "; 7 workers have left". */
static void describe_others(const struct site *site, char *text, size_t size)
{
    int workers = site->roll.threads - 1;
    if (site->judge.ended)
        snprintf(text, size, "; it has ended");
    else if (workers < site->workers)
        snprintf(text, size, "; %d of %d workers have left", site->workers - workers,
                 site->workers);
    else
        snprintf(text, size, "; %d workers are asleep in futex",
                 roll_count(&site->roll, "futex") - 1);
}

static void expect_in_flight(struct site *site, int count)
{
    char others[64];
    settle(site);
    describe_others(site, others, sizeof others);
    if (in_flight(site) < count)
        judge_reject(&site->judge, "%sstalled with %d of %d in flight%s", site->when,
                     in_flight(site), count, others);
    if (in_flight(site) > count)
        judge_reject(&site->judge, "%s%d in flight, where there are %d pages left",
                     site->when, in_flight(site), count);
}

/* All pages up to here have been answered; each is printed once, and the crawler ends. */
static void expect_end(struct site *site, int pages, const char *after)
{
    settle(site);
    if (in_flight(site) == 0 && !site->judge.ended)
        judge_reject(&site->judge, "%snever ends: %s, and %d threads sleep in %s",
                     site->when, after, site->roll.threads,
                     roll_name(&site->roll.thread[0]));
    int status = judge_await_end(&site->judge);
    if (status != 0)
        judge_reject(&site->judge, "ended with status %d, not 0", status);
    char *output = judge_output(&site->judge);
    for (int i = 0; i < pages; i++) {
        char line[64];
        snprintf(line, sizeof line, "200 %s\n", site->name[i]);
        char *found = strstr(output, line);
        if (!found || strstr(found + 1, line))
            judge_reject(&site->judge, "%spage %d of %d was %s", site->when, i + 1, pages,
                         found ? "got twice" : "never got");
    }
    free(output);
}

/* The home page has twenty links: eight stand at the gate, and there are never more. */
static void twenty_links(struct site *site)
{
    enum { LINKS = 20, SOME = 4 };
    expect_in_flight(site, 1);
    answer(site, 0, 1, LINKS);
    for (int left = LINKS; left > 0; left -= SOME) {
        expect_in_flight(site, left < WORKERS ? left : WORKERS);
        answer_all(site, 1, SOME);
    }
    expect_end(site, LINKS + 1, "all pages have come");
}

START_TEST(eight_in_flight_and_never_more)
{
    struct site site;
    open_site(&site, "");
    begin(&site, "program", WORKERS);
    site.judge.look = "what the others do while one waits for its page; who tells them";
    twenty_links(&site);
}
END_TEST

START_TEST(idle_workers_wait_for_the_last_page)
{
    struct site site;
    open_site(&site, "");
    begin(&site, "program", WORKERS);
    expect_in_flight(&site, 1);
    answer(&site, 0, 1, 3);
    expect_in_flight(&site, 3);
    answer(&site, 1, 0, 0);
    expect_in_flight(&site, 2);
    answer(&site, 2, 0, 0);
    expect_in_flight(&site, 1);
    int left = WORKERS + 1 - site.roll.threads;
    if (left > 0)
        judge_reject(&site.judge, "%d of %d workers have left, and a page is still under "
                     "way", left, WORKERS);
    if (site.roll.threads > WORKERS + 1)
        judge_reject(&site.judge, "%d threads, where P is %d", site.roll.threads,
                     WORKERS);
    if (roll_count(&site.roll, "futex") != WORKERS)    /* main joins, seven are idle */
        judge_reject(&site.judge, "idle workers asleep in %s, not in futex",
                     roll_name(&site.roll.thread[WORKERS]));
    answer(&site, 3, LATER, 10);
    expect_in_flight(&site, WORKERS);
    answer_all(&site, LATER, WORKERS);
    expect_in_flight(&site, 10 - WORKERS);
    answer_all(&site, LATER, WORKERS);
    expect_end(&site, 4, "all pages have come");
}
END_TEST

/* Six are idle while two pages are under way. One comes, and has work for all. */
START_TEST(links_while_another_page_is_under_way)
{
    struct site site;
    open_site(&site, "links came while another page was under way: ");
    begin(&site, "program", WORKERS);
    site.judge.look = "who is told that there are new pages, and when";
    expect_in_flight(&site, 1);
    answer(&site, 0, 1, 2);
    expect_in_flight(&site, 2);
    answer(&site, 1, LATER, 10);
    expect_in_flight(&site, WORKERS);
    answer_all(&site, 1, WORKERS);
    expect_in_flight(&site, 11 - WORKERS);
    answer_all(&site, 1, WORKERS);
    expect_end(&site, 3, "all pages have come");
}
END_TEST

/* Home links to 1, 2 and itself; these to each other, to themselves, to home and to 3. */
START_TEST(pages_that_link_to_each_other)
{
    struct site site;
    open_site(&site, "");
    begin(&site, "program", WORKERS);
    site.judge.look = "add_page(): who calls it, and what was found already";
    expect_in_flight(&site, 1);
    answer(&site, 0, 0, 3);
    expect_in_flight(&site, 2);
    answer(&site, 1, 0, 4);
    answer(&site, 2, 0, 4);
    expect_in_flight(&site, 1);
    answer(&site, 3, 0, 4);
    expect_end(&site, 4, "all pages have come");
}
END_TEST

START_TEST(one_worker)
{
    struct site site;
    open_site(&site, "with P = 1: ");
    begin(&site, "program", 1);
    expect_in_flight(&site, 1);
    answer(&site, 0, 1, 2);
    expect_in_flight(&site, 1);
    answer_all(&site, 1, 1);
    expect_in_flight(&site, 1);
    answer_all(&site, 1, 1);
    expect_end(&site, 3, "all pages have come");
}
END_TEST

START_TEST(more_workers_than_pages)
{
    struct site site;
    open_site(&site, "");
    begin(&site, "program", WORKERS);
    expect_in_flight(&site, 1);
    answer(&site, 0, 0, 0);
    expect_end(&site, 1, "the only page has come");
}
END_TEST

/* One is hung up on, one is not there. The third has work for all: who has met a failure
   works on. */
START_TEST(a_page_that_cannot_be_had)
{
    static const char lost[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n"
                               "lost\n";
    struct site site;
    open_site(&site, "two pages could not be had: ");
    begin(&site, "program", WORKERS);
    site.judge.look = "what a worker does with a page that did not come";
    expect_in_flight(&site, 1);
    answer(&site, 0, 1, 3);
    expect_in_flight(&site, 3);
    hang_up(find_visit(&site, 1));
    expect_in_flight(&site, 2);
    send(find_visit(&site, 2)->fd, lost, strlen(lost), MSG_NOSIGNAL);
    hang_up(find_visit(&site, 2));
    expect_in_flight(&site, 1);
    answer(&site, 3, LATER, WORKERS);
    expect_in_flight(&site, WORKERS);
    answer_all(&site, LATER, WORKERS);
    expect_end(&site, 1, "all others have come");
}
END_TEST

START_TEST(a_worker_wakes_for_nothing)
{
    struct site site;
    setenv("SHIM", "spurious", 1);
    open_site(&site, "a worker woke for nothing: ");
    begin(&site, "program-shim", WORKERS);
    site.judge.look = "what is known when pthread_cond_wait() returns";
    twenty_links(&site);
}
END_TEST

START_TEST(others_go_first_after_each_unlock)
{
    struct site site;
    setenv("SHIM", "unlock", 1);
    open_site(&site, "between an unlock and the next lock: ");
    begin(&site, "program-shim", WORKERS);
    site.judge.look = "what others see between two critical sections that should be one";
    twenty_links(&site);
}
END_TEST

/* Between its look and its sleep a worker still has the lock. Who has news and does not
   take the lock may tell it in that moment, and it does not hear. */
START_TEST(a_worker_is_late_to_sleep)
{
    struct site site;
    setenv("SHIM", "unlock late", 1);
    open_site(&site, "news between a worker's look and its sleep: ");
    begin(&site, "program-shim", WORKERS);
    site.judge.look = "what is changed without the lock, though others wait for it";
    twenty_links(&site);
}
END_TEST

/* In a process of its own: answers everybody at once. The first pages link to four more
   each, the others to those that are known. */
static _Noreturn void serve(struct site *site)
{
    for (;;) {
        struct pollfd ready[PAGES + 1] = {{
            .fd = site->visits < PAGES ? site->listen_fd : -1, .events = POLLIN,
        }};
        for (int i = 0; i < site->visits; i++)
            ready[i + 1] = (struct pollfd){
                .fd = site->visit[i].asked ? -1 : site->visit[i].fd, .events = POLLIN,
            };
        poll(ready, (nfds_t)site->visits + 1, -1);
        attend(site);
        for (int i = 0; i < site->visits; i++)
            if (site->visit[i].asked && site->visit[i].fd >= 0) {
                int page = find_page(site, site->visit[i].path);
                answer(site, page, 4 * page + 1 < PAGES - 4 ? 4 * page + 1 : 0, 4);
            }
    }
}

START_TEST(nobody_looks_without_the_lock)
{
    if (!judge_can_tsan())
        return;
    static struct site site;
    open_site(&site, "");
    site.lenient = true;
    pid_t server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0)
        serve(&site);
    site.judge.server = server;    /* nothing is quiet before it has answered */
    site.judge.look = "who touches the crawl without its lock";
    begin(&site, "program-tsan", WORKERS);
    judge_await_end(&site.judge);
    expect_end(&site, PAGES - 3, "all pages have come");
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        eight_in_flight_and_never_more,
        idle_workers_wait_for_the_last_page,
        links_while_another_page_is_under_way,
        pages_that_link_to_each_other,
        one_worker,
        more_workers_than_pages,
        a_page_that_cannot_be_had,
        a_worker_wakes_for_nothing,
        others_go_first_after_each_unlock,
        a_worker_is_late_to_sleep,
        nobody_looks_without_the_lock,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
