/* URLs, requests, and the reader of replies. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/http.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* --- URLs and requests ------------------------------------------------------------ */

START_TEST(a_url_is_taken_apart)
{
    static const struct {
        const char *text, *host;
        int         port;
        const char *target;
    } cases[] = {
        {"http://127.0.0.1:8080/delay/50ms", "127.0.0.1", 8080, "/delay/50ms"},
        {"HTTP://host.example:1", "host.example", 1, "/"},
        {"http://h:65535/", "h", 65535, "/"},
        {"http://h:00080/a?b=c&d=%20", "h", 80, "/a?b=c&d=%20"},
        {"http://h:80?x=/:@", "h", 80, "/?x=/:@"},
        {"http://[::1]:8080/x", "::1", 8080, "/x"},
        {"http://[fe80::1%25lo]:80", "fe80::1%25lo", 80, "/"},
        {"http://h:80/\xc3\xa9?i={i}", "h", 80, "/\xc3\xa9?i={i}"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct http_url url;
        const char *wrong = http_parse_url(cases[i].text, &url);
        ck_assert_msg(!wrong, "%s: %s", cases[i].text, wrong);
        ck_assert_str_eq(url.host, cases[i].host);
        ck_assert_int_eq(url.port, cases[i].port);
        ck_assert_str_eq(url.target, cases[i].target);
    }
}
END_TEST

START_TEST(a_wrong_url_is_refused_with_the_reason)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "starts with http://"},
        {"127.0.0.1:8080/", "starts with http://"},
        {"https://h:80/", "starts with http://"},
        {"http://", "no host"},
        {"http://:80/", "no host"},
        {"http:///x", "no host"},
        {"http://[]:80/", "no host"},
        {"http://[::1:80/", "ends with ]"},
        {"http://[::1/]:80", "ends with ]"},
        {"http://h", "no port"},
        {"http://h/", "no port"},
        {"http://h?:80", "no port"},
        {"http://[::1]/", "no port"},
        {"http://[::1]x:80/", "no port"},
        {"http://h:", "from 1 to 65535"},
        {"http://h:/", "from 1 to 65535"},
        {"http://h:0/", "from 1 to 65535"},
        {"http://h:65536/", "from 1 to 65535"},
        {"http://h:4294967376/", "from 1 to 65535"},
        {"http://h:80x/", "from 1 to 65535"},
        {"http://h:-80/", "from 1 to 65535"},
        {"http://u:p@h:80/", "from 1 to 65535"},
        {"http://h:80/a b", "a space"},
        {"http://h:80/a#b", "a #"},
        {"http://h:80#b", "a #"},
        {"http://h:80/\r\nX: y", "control character"},
        {"http://h\r\nX: y:80/", "control character"},
        {"http://h:80/\x7f", "control character"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct http_url url;
        const char *wrong = http_parse_url(cases[i].text, &url);
        ck_assert_msg(wrong && strstr(wrong, cases[i].reason), "%s: %s", cases[i].text,
                      wrong ? wrong : "taken");
    }
}
END_TEST

/* Writes "http://", host times 'h', ":80/" and path times 'p'. */
static void write_long_url(char *text, int host, int path)
{
    char *end = text + sprintf(text, "http://");
    memset(end, 'h', (size_t)host);
    end += host;
    end += sprintf(end, ":80/");
    memset(end, 'p', (size_t)path);
    end[path] = '\0';
}

START_TEST(a_url_is_bounded_by_its_buffers)
{
    static const struct {
        int         host, path;
        const char *reason;
    } cases[] = {
        {HTTP_HOST - 1, HTTP_TARGET - 2, NULL},
        {HTTP_HOST, 1, "longer than 253"},
        {5000, 1, "longer than 253"},
        {1, HTTP_TARGET - 1, "longer than 511"},
        {1, 5000, "longer than 511"},
    };
    struct http_url *url = malloc(sizeof *url);
    ck_assert_ptr_nonnull(url);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[6000];
        write_long_url(text, cases[i].host, cases[i].path);
        const char *wrong = http_parse_url(text, url);
        if (cases[i].reason)
            ck_assert_msg(wrong && strstr(wrong, cases[i].reason), "%zu: %s", i, wrong);
        else
            ck_assert_ptr_null(wrong);
    }
    free(url);
}
END_TEST

START_TEST(a_request_asks_for_its_target_and_for_the_connections_end)
{
    static const char expected[] =
        "GET /17/x?i=17&j=17 HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n\r\n";
    size_t length = strlen(expected);
    for (size_t size = 0; size < length + 2; size++) {
        char *buf = malloc(size + 1);    /* on the heap, guarded */
        ck_assert_ptr_nonnull(buf);
        buf[size] = '#';
        static const char target[] = "/{i}/x?i={i}&j={i}";
        int written = http_write_request(buf, size, "[::1]:8080", target, 17);
        ck_assert_int_eq(written, size < length ? -ENOBUFS : (int)length);
        ck_assert_int_eq(buf[size], '#');
        if (written > 0)
            ck_assert_mem_eq(buf, expected, length);
        free(buf);
    }
}
END_TEST

START_TEST(any_url_that_is_taken_makes_a_request_that_fits)
{
    char host[HTTP_HOST + 8];
    char text[HTTP_HOST + HTTP_TARGET + 20];
    int fitting = 0;
    for (int numbers = 0; numbers < 170; numbers++) {
        write_long_url(text, HTTP_HOST - 1, HTTP_TARGET - 2);
        char *target = strstr(text, ":80/") + 4;
        for (int i = 0; i < numbers; i++)
            memcpy(target + 3 * i, "{i}", 3);
        struct http_url url;
        if (http_parse_url(text, &url) != NULL)
            continue;
        snprintf(host, sizeof host, "[%s]:65535", url.host);
        char request[HTTP_REQUEST];
        ck_assert_int_gt(http_write_request(request, sizeof request, host, url.target,
                                            INT_MIN), 0);
        fitting++;
    }
    ck_assert_int_eq(fitting, 17);    /* 0 to 16 places for the number */
}
END_TEST

/* --- the reader of replies -------------------------------------------------------- */

struct reply {
    const char *bytes;
    int         status;
    int64_t     body_bytes;
    int64_t     wait_ns;
    int         ends_at;    /* bytes after which the connection's end may come; 0: none */
};

#define HEAD_OK "HTTP/1.1 200 OK\r\n"
#define HELLO "Content-Length: 5\r\n\r\nhello"
#define DOT "Content-Length: 1\r\n\r\n."
#define CHUNKED HEAD_OK "Transfer-Encoding: chunked\r\n\r\n"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define SPACES50 "                                                  "

static const struct reply replies[] = {
    {HEAD_OK HELLO, 200, 5, 0, 0},
    {HEAD_OK "Content-Length: 0\r\n\r\n", 200, 0, 0, 0},
    {HEAD_OK "content-length:5\r\n\r\nhello", 200, 5, 0, 0},
    {HEAD_OK "CONTENT-LENGTH: \t 5 \t \r\n\r\nhello", 200, 5, 0, 0},
    {HEAD_OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, 5, 0, 0},
    {HEAD_OK "Content-Length: 0000000000000000000005\r\n\r\nhello", 200, 5, 0, 0},
    {HEAD_OK "\r\nhello", 200, 5, 0, 19},
    {HEAD_OK "\r\n", 200, 0, 0, 19},
    {"HTTP/1.1 200\r\n\r\n", 200, 0, 0, 16},
    {"HTTP/1.0 404 Not Found\nServer: bare line feeds\n\nno", 404, 2, 0, 48},
    {"HTTP/1.1 599 " X50 X50 "\r\n" DOT, 599, 1, 0, 0},
    {HEAD_OK "X-Long: " X50 X50 "\r\n" DOT, 200, 1, 0, 0},
    {HEAD_OK "X" X50 X50 ": long name\r\n" DOT, 200, 1, 0, 0},
    {HEAD_OK "X-Old: one\r\n two\r\n\tthree\r\n" DOT, 200, 1, 0, 0},
    {HEAD_OK "X-Empty:\r\n" DOT, 200, 1, 0, 0},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, 0, 0, 0},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", 204, 0, 0, 0},
    {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, 0, 0, 0},
    {"HTTP/1.1 100 Continue\r\n\r\n" HEAD_OK DOT, 200, 1, 0, 0},
    {"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nServer-Timing: wait;dur=9\r\n\r\n"
     "HTTP/1.1 102 Processing\r\n\r\n" HEAD_OK DOT, 200, 1, 0, 0},
    {CHUNKED "0\r\n\r\n", 200, 0, 0, 0},
    {CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, 5, 0, 0},
    {CHUNKED "5\r\nhello\r\n00b\r\nhello world\r\n0\r\n\r\n", 200, 16, 0, 0},
    {CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 200, 20, 0, 0},
    {CHUNKED "1;name=value;" X50 X50 "\r\n.\r\n1 ;a\r\n.\r\n0;b\r\n\r\n", 200, 2, 0, 0},
    {CHUNKED "1\r\n.\r\n0\r\nTrail: " X50 "\r\nContent-Length: 9\r\n\r\n", 200, 1, 0, 0},
    {CHUNKED "1\n.\n0\n\n", 200, 1, 0, 0},
    {HEAD_OK "transfer-encoding:CHUNKED\r\n\r\n1\r\n\n\r\n0\r\n\r\n", 200, 1, 0, 0},
    {HEAD_OK "Content-Length: 9\nTransfer-Encoding: chunked\n\n0\n\n", 200, 0, 0, 0},
    {HEAD_OK "Transfer-Encoding: chunked\nContent-Length: 9\n\n0\n\n", 200, 0, 0, 0},
    {HEAD_OK "Server-Timing: wait;dur=50.08\r\n" DOT, 200, 1, 50080000, 0},
    {HEAD_OK "server-timing: db;dur=7, wait;dur=3\r\n\r\n", 200, 0, 3 * CLOCK_MS, 56},
};

/* Feeds a copy that is exactly as long as the piece: a sanitizer guards both ends. */
static int feed(struct http_reader *reader, const char *bytes, size_t len)
{
    char *copy = malloc(len);
    if (len > 0)
        memcpy(copy, bytes, len);
    int progress = http_reader_feed(reader, copy, len);
    free(copy);
    return progress;
}

/* Feeds pieces of one length, until the reader wants no more. */
static int feed_pieces(struct http_reader *reader, const char *bytes, size_t len,
                       size_t piece)
{
    int progress = HTTP_MORE;
    for (size_t at = 0; at < len && progress == HTTP_MORE; at += piece)
        progress = feed(reader, bytes + at, len - at < piece ? len - at : piece);
    return progress;
}

static void check_whole(const struct reply *reply, const struct http_reader *reader,
                        int progress, size_t split)
{
    if (reply->ends_at && progress == HTTP_MORE)
        progress = http_reader_end(reader);
    if (progress != HTTP_WHOLE || reader->status != reply->status ||
        reader->body_bytes != reply->body_bytes ||
        reader->server_wait_ns != reply->wait_ns)
        ck_abort_msg("split at %zu: progress %d, status %d, %lld bytes, waited %lld:\n%s",
                     split, progress, reader->status, (long long)reader->body_bytes,
                     (long long)reader->server_wait_ns, reply->bytes);
}

START_TEST(reader_reads_a_whole_reply)
{
    struct http_reader reader;
    http_reader_init(&reader);
    int progress = feed(&reader, replies[_i].bytes, strlen(replies[_i].bytes));
    check_whole(&replies[_i], &reader, progress, 0);
}
END_TEST

START_TEST(reader_copes_with_any_split)
{
    const struct reply *reply = &replies[_i];
    size_t length = strlen(reply->bytes);
    for (size_t at = 0; at <= length; at++) {    /* each two pieces; one may be empty */
        struct http_reader reader;
        http_reader_init(&reader);
        int progress = feed(&reader, reply->bytes, at);
        if (progress == HTTP_MORE)
            progress = feed(&reader, reply->bytes + at, length - at);
        check_whole(reply, &reader, progress, at);
    }
    for (size_t piece = 1; piece <= length; piece++) {    /* many, of each length */
        struct http_reader reader;
        http_reader_init(&reader);
        int progress = feed_pieces(&reader, reply->bytes, length, piece);
        check_whole(reply, &reader, progress, piece);
    }
}
END_TEST

START_TEST(reader_tells_a_reply_that_was_cut_short)
{
    const struct reply *reply = &replies[_i];
    size_t length = strlen(reply->bytes);
    for (size_t at = 0; at < length; at++) {
        struct http_reader reader;
        http_reader_init(&reader);
        int progress = feed_pieces(&reader, reply->bytes, at, 7);
        int expected = at == 0 ? -ENODATA : -EBADMSG;
        if (reply->ends_at && at >= (size_t)reply->ends_at)
            expected = HTTP_WHOLE;
        if (progress != HTTP_MORE || http_reader_end(&reader) != expected)
            ck_abort_msg("cut at %zu: %d, then %d:\n%s", at, progress,
                         http_reader_end(&reader), reply->bytes);
    }
}
END_TEST

START_TEST(reader_ignores_what_follows_the_reply)
{
    const struct reply *reply = &replies[_i];
    if (reply->ends_at)    /* then whatever follows belongs to the body */
        return;
    size_t length = strlen(reply->bytes);
    char bytes[1000];
    memcpy(bytes, reply->bytes, length);
    memcpy(bytes + length, "\0junk\r\n", 7);
    struct http_reader reader;
    http_reader_init(&reader);
    check_whole(reply, &reader, feed(&reader, bytes, length + 7), length);
}
END_TEST

/* Each is right up to its last byte. */
static const char *const refused[] = {
    "h",
    "\n",
    "\r",
    " ",
    "HTTP/2",
    "HTTP/1.x",
    "HTTP/1.1\n",
    "HTTP/1.1\t",
    "HTTP/1.1 x",
    "HTTP/1.1 20 ",
    "HTTP/1.1 20\n",
    "HTTP/1.1 099 Low\n",
    "HTTP/1.1 600 High\r\n",
    "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.1 200\tOK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nX",
    HEAD_OK "no colon\r\n",
    HEAD_OK "nothing\r\n",
    HEAD_OK ": no name\r\n",
    HEAD_OK "Space : before the colon\r\n",
    HEAD_OK "Content-Length:\r\n",
    HEAD_OK "Content-Length: -1\r\n",
    HEAD_OK "Content-Length: +1\r\n",
    HEAD_OK "Content-Length: 5k\r\n",
    HEAD_OK "Content-Length: 5, 5\r\n",
    HEAD_OK "Content-Length: 0x5\r\n",
    HEAD_OK "Content-Length: 5.0\r\n",
    HEAD_OK "Content-Length: 9223372036854775808\r\n",
    HEAD_OK "Content-Length: 99999999999999999999999999\r\n",
    HEAD_OK "Content-Length: 5\r\nContent-Length: 6\r\n",
    HEAD_OK "Content-Length: 0\r\nContent-Length: 6\r\n",
    HEAD_OK "Transfer-Encoding: gzip, chunked\r\n",
    HEAD_OK "Transfer-Encoding: identity\r\n",
    HEAD_OK "Transfer-Encoding: chunked" SPACES50 ", gzip\r\n",
    HEAD_OK "Transfer-Encoding:\r\n",
    CHUNKED "\r\n",
    CHUNKED "g\r\n",
    CHUNKED "-1\r\n",
    CHUNKED "0x5\r\n",
    CHUNKED "5,\r\n",
    CHUNKED "ffffffffffffffff\r\n",
    CHUNKED "1" X50 "\r\n",
    CHUNKED "5\r\nhello!\n",
    CHUNKED "5\r\nhello0\r\n",
};

START_TEST(reader_refuses_garbage_at_the_first_byte_that_tells)
{
    const char *bytes = refused[_i];
    size_t last = strlen(bytes) - 1;
    for (size_t piece = 1; piece <= last + 1; piece++) {
        struct http_reader reader;
        http_reader_init(&reader);
        ck_assert_int_eq(feed_pieces(&reader, bytes, last, piece), HTTP_MORE);
        ck_assert_int_eq(feed(&reader, bytes + last, 1), -EPROTO);
    }
}
END_TEST

START_TEST(reader_refuses_a_nul_anywhere_but_in_the_body)
{
    static const char bytes[] = CHUNKED "1;" X50 X50 "\r\n.\r\n0\r\nTrailer: 1\r\n\r\n";
    const char *body = strstr(bytes, "\r\n.") + 2;
    for (size_t at = 0; at < strlen(bytes); at++) {
        char copy[sizeof bytes];
        memcpy(copy, bytes, sizeof bytes);
        copy[at] = '\0';
        struct http_reader reader;
        http_reader_init(&reader);
        int progress = feed_pieces(&reader, copy, at + 1, 1);
        bool in_body = bytes + at == body && reader.body_bytes == 1;
        if (progress != (in_body ? HTTP_MORE : -EPROTO))
            ck_abort_msg("NUL at %zu: %d", at, progress);
    }
}
END_TEST

START_TEST(reader_bounds_a_head_that_does_not_end)
{
    static const struct {
        const char *start, *again;
    } endless[] = {
        {HEAD_OK, "x"},
        {HEAD_OK, "X: y\r\n"},
        {HEAD_OK, " \n"},
        {"HTTP/1.1 200 ", "OK"},
        {"", "HTTP/1.1 100 Continue\r\n\r\n"},
        {CHUNKED "1;", "x"},
        {CHUNKED "1\r\n.", "\r"},
        {CHUNKED "0\r\n", "x"},
        {CHUNKED "0\r\n", "X: y\r\n"},
    };
    for (size_t i = 0; i < LENGTH(endless); i++) {
        struct http_reader reader;
        http_reader_init(&reader);
        feed(&reader, endless[i].start, strlen(endless[i].start));
        int progress = HTTP_MORE;
        size_t length = strlen(endless[i].again);
        size_t fed = 0;
        for (; progress == HTTP_MORE && fed <= HTTP_HEAD + 100; fed += length)
            progress = feed(&reader, endless[i].again, length);
        ck_assert_msg(progress == -EPROTO, "%d: %d after %zu", (int)i, progress, fed);
    }
}
END_TEST

START_TEST(reader_takes_a_head_of_just_the_bound_and_chunks_without_one)
{
    static const char end[] = "\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct http_reader reader;
    http_reader_init(&reader);
    ck_assert_int_eq(feed(&reader, HEAD_OK "X:", strlen(HEAD_OK "X:")), HTTP_MORE);
    size_t filler = HTTP_HEAD - strlen(HEAD_OK "X:") - strlen(end);
    for (size_t i = 0; i < filler; i++)
        http_reader_feed(&reader, "x", 1);
    ck_assert_int_eq(feed(&reader, end, strlen(end)), HTTP_MORE);
    for (int i = 0; i < HTTP_HEAD; i++)
        http_reader_feed(&reader, "1\r\n.\r\n", 6);
    ck_assert_int_eq(feed(&reader, "0\r\n\r\n", 5), HTTP_WHOLE);
    ck_assert_int_eq(reader.body_bytes, HTTP_HEAD);
}
END_TEST

START_TEST(reader_never_mistakes_a_long_line_for_a_shorter_one)
{
    int whole = 0;
    for (int spaces = 0; spaces < 100; spaces++) {
        char bytes[300];
        int length = snprintf(bytes, sizeof bytes,
                              HEAD_OK "Server-Timing: %*s;dur=123.25\r\n"
                              "Content-Length:%*s\r\n\r\n", spaces, "wait",
                              spaces, "12345");
        struct http_reader reader;
        http_reader_init(&reader);
        int progress = feed(&reader, bytes, (size_t)length);
        if (progress == HTTP_MORE) {
            ck_assert_int_eq(reader.body_left, 12345);
            whole++;
        } else {
            ck_assert_int_eq(progress, -EPROTO);
        }
        if (reader.server_wait_ns != 0)
            ck_assert_int_eq(reader.server_wait_ns, 123250000);
    }
    ck_assert_int_ge(whole, 40);
}
END_TEST

START_TEST(reader_takes_a_body_of_any_length)
{
    struct http_reader reader;
    http_reader_init(&reader);
    static const char head[] = HEAD_OK "Content-Length: 9223372036854775807\r\n\r\n.";
    ck_assert_int_eq(feed(&reader, head, strlen(head)), HTTP_MORE);
    ck_assert_int_eq(reader.body_bytes, 1);
    ck_assert_int_eq(reader.body_left, INT64_MAX - 1);
    ck_assert_int_eq(http_reader_end(&reader), -EBADMSG);
}
END_TEST

START_TEST(reader_finds_the_wait_that_the_server_tells)
{
    static const struct {
        const char *value;
        int64_t     ns;
    } cases[] = {
        {"wait;dur=50.08", 50080000},
        {"wait;dur=0", 0},
        {"wait;dur=0.001", 1000},
        {"wait;dur=3600000", 3600LL * CLOCK_S},
        {"wait;dur=7;desc=\"x\"", 7 * CLOCK_MS},
        {"db;dur=1,wait;dur=2", 2 * CLOCK_MS},
        {"db;dur=1, wait;dur=2, app;dur=3", 2 * CLOCK_MS},
        {"await;dur=9, wait;dur=2", 2 * CLOCK_MS},
        {"await;dur=9", 0},
        {"wait;dur=", 0},
        {"wait;dur=x", 0},
        {"wait;dur=1.2.3", 0},
        {"wait;dur=-5", 0},
        {"wait", 0},
        {"", 0},
        {"wait;dur=99999999999999999999999999999999999999", 0},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char bytes[200];
        int length = snprintf(bytes, sizeof bytes, HEAD_OK "Server-Timing: %s\r\n",
                              cases[i].value);
        struct http_reader reader;
        http_reader_init(&reader);
        ck_assert_int_eq(feed(&reader, bytes, (size_t)length), HTTP_MORE);
        ck_assert_msg(reader.server_wait_ns == cases[i].ns, "'%s': %lld", cases[i].value,
                      (long long)reader.server_wait_ns);
    }
}
END_TEST

/* --- the suite -------------------------------------------------------------------- */

static void add_http(Suite *suite)
{
    TCase *request = suite_add(suite, "request");
    tcase_add_test(request, a_url_is_taken_apart);
    tcase_add_test(request, a_wrong_url_is_refused_with_the_reason);
    tcase_add_test(request, a_url_is_bounded_by_its_buffers);
    tcase_add_test(request, a_request_asks_for_its_target_and_for_the_connections_end);
    tcase_add_test(request, any_url_that_is_taken_makes_a_request_that_fits);
    TCase *reader = suite_add(suite, "reader");
    int count = LENGTH(replies);
    tcase_add_loop_test(reader, reader_reads_a_whole_reply, 0, count);
    tcase_add_loop_test(reader, reader_copes_with_any_split, 0, count);
    tcase_add_loop_test(reader, reader_tells_a_reply_that_was_cut_short, 0, count);
    tcase_add_loop_test(reader, reader_ignores_what_follows_the_reply, 0, count);
    tcase_add_loop_test(reader, reader_refuses_garbage_at_the_first_byte_that_tells, 0,
                        LENGTH(refused));
    tcase_add_test(reader, reader_refuses_a_nul_anywhere_but_in_the_body);
    tcase_add_test(reader, reader_bounds_a_head_that_does_not_end);
    tcase_add_test(reader, reader_takes_a_head_of_just_the_bound_and_chunks_without_one);
    tcase_add_test(reader, reader_never_mistakes_a_long_line_for_a_shorter_one);
    tcase_add_test(reader, reader_takes_a_body_of_any_length);
    tcase_add_test(reader, reader_finds_the_wait_that_the_server_tells);
}

int main(void)
{
    Suite *suite = suite_create("kit: http");
    add_http(suite);
    return suite_end(suite);
}
