/* The promises of src/kit. Each test is named after the promise that it checks. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/csv.h"
#include "kit/http.h"
#include "kit/net.h"
#include "kit/options.h"
#include "kit/random.h"
#include "kit/result.h"
#include "kit/stats.h"
#include "kit/units.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough for anything that does happen, on a machine however busy. */
static int64_t patience(void)
{
    return clock_ns() + 100LL * CLOCK_S;
}

/* --- units ------------------------------------------------------------------------ */

struct reading {
    const char *text;
    int         error;
    int64_t     value;
};

static void check_readings(int (*parse)(const char *, int64_t *),
                           const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -77;
        int error = parse(readings[i].text, &value);
        int64_t expected = readings[i].error ? -77 : readings[i].value;
        ck_assert_msg(error == readings[i].error && value == expected,
                      "'%s': %d, %lld", readings[i].text, error, (long long)value);
    }
}

START_TEST(durations_are_read_whole_or_not_at_all)
{
    static const struct reading readings[] = {
        {"250us", 0, 250 * CLOCK_US},
        {"50ms", 0, 50 * CLOCK_MS},
        {"2s", 0, 2LL * CLOCK_S},
        {"1m", 0, 60LL * CLOCK_S},
        {"0.05", 0, 50 * CLOCK_MS},
        {"%TEXT%", 0, %NS%},
        {".5s", 0, CLOCK_S / 2},
        {"1.s", 0, CLOCK_S},
        {"0", 0, 0},
        {"0.0000000014", 0, 1},
        {"8000000000s", 0, 8000000000LL * CLOCK_S},
        {"9000000000s", -ERANGE, 0},
        {"99999999999999999999999999m", -ERANGE, 0},
        {"", -EINVAL, 0},
        {".", -EINVAL, 0},
        {"ms", -EINVAL, 0},
        {"1.2.3", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ms", -EINVAL, 0},
        {"1ms ", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"50MS", -EINVAL, 0},
        {"50msx", -EINVAL, 0},
        {"5h", -EINVAL, 0},
    };
    check_readings(units_parse_duration, readings, LENGTH(readings));
}
END_TEST

START_TEST(counts_are_read_whole_or_not_at_all)
{
    static const struct reading readings[] = {
        {"0", 0, 0},
        {"100", 0, 100},
        {"10k", 0, 10000},
        {"2M", 0, 2000000},
        {"007", 0, 7},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", -ERANGE, 0},
        {"9223372036854775k", 0, 9223372036854775000},
        {"9223372036854776k", -ERANGE, 0},
        {"99999999999999999999x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1.5k", -EINVAL, 0},
        {"10K", -EINVAL, 0},
        {"10kk", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
    };
    check_readings(units_parse_count, readings, LENGTH(readings));
}
END_TEST

START_TEST(sizes_are_read_whole_or_not_at_all)
{
    static const struct reading readings[] = {
        {"65536", 0, 65536},
        {"64K", 0, 65536},
        {"8M", 0, 8388608},
        {"9007199254740991K", 0, 9007199254740991 * 1024},
        {"9007199254740992K", -ERANGE, 0},
        {"64k", -EINVAL, 0},
        {"64KB", -EINVAL, 0},
        {"", -EINVAL, 0},
    };
    check_readings(units_parse_size, readings, LENGTH(readings));
}
END_TEST

START_TEST(durations_are_written_with_three_digits_and_a_unit_that_suits)
{
    static const struct {
        int64_t     ns;
        const char *text;
    } cases[] = {
        {0, "0us"},
        {1, "0us"},
        {1234, "1.23us"},
        {50 * CLOCK_US, "50us"},
        {999499, "999us"},
        {999500, "1ms"},
        {999999, "1ms"},
        {CLOCK_MS, "1ms"},
        {1500000, "1.5ms"},
        {9994999, "9.99ms"},
        {9995000, "10ms"},
        {12340000, "12.3ms"},
        {50 * CLOCK_MS, "50ms"},
        {100 * CLOCK_MS, "100ms"},
        {123456789, "123ms"},
        {999499999, "999ms"},
        {999500000, "1s"},
        {CLOCK_S, "1s"},
        {60LL * CLOCK_S, "60s"},
        {3600LL * CLOCK_S, "3600s"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[UNITS_TEXT];
        units_format_duration(text, cases[i].ns);
        ck_assert_str_eq(text, cases[i].text);
    }
    char *text = malloc(UNITS_TEXT);    /* on the heap, guarded */
    ck_assert_ptr_nonnull(text);
    units_format_duration(text, INT64_MAX);
    units_format_duration(text, INT64_MIN);
    free(text);
}
END_TEST

/* --- stats ------------------------------------------------------------------------ */

START_TEST(sorting_orders_the_whole_range_of_values)
{
    int64_t values[] = {3, INT64_MAX, -1, INT64_MIN, 0, 3, -1};
    static const int64_t sorted[] = {INT64_MIN, -1, -1, 0, 3, 3, INT64_MAX};
    stats_sort(values, LENGTH(values));
    ck_assert_mem_eq(values, sorted, sizeof sorted);
    stats_sort(NULL, 0);
}
END_TEST

START_TEST(a_quantile_is_the_smallest_value_that_covers_its_share)
{
    enum { MOST = 1200 };
    static const int64_t thousandths[] = {1, 500, 900, 950, 990, 999, 1000};
    int64_t values[MOST];
    for (int64_t i = 0; i < MOST; i++)
        values[i] = 10 * (i + 1);
    for (size_t q = 0; q < LENGTH(thousandths); q++) {
        for (int64_t count = 1; count <= MOST; count++) {
            int64_t rank = (count * thousandths[q] + 999) / 1000;
            double share = (double)thousandths[q] / 1000;
            int64_t got = stats_quantile(values, (size_t)count, share);
            if (got != 10 * rank)
                ck_abort_msg("%f of %d: %d", share, (int)count, (int)got);
        }
    }
    ck_assert_int_eq(stats_quantile(values, 0, 0.5), 0);
    ck_assert_int_eq(stats_quantile(NULL, 0, 1), 0);
}
END_TEST

/* --- random ----------------------------------------------------------------------- */

START_TEST(the_generator_is_splitmix64)
{
    static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
                                         9817491932198370423u, 4593380528125082431u,
                                         16408922859458223821u};
    uint64_t state = 1234567;
    for (size_t i = 0; i < LENGTH(published); i++)
        ck_assert_uint_eq(random_next(&state), published[i]);
}
END_TEST

START_TEST(a_stream_depends_on_each_of_its_numbers_and_on_nothing_else)
{
    ck_assert_uint_eq(random_stream(1, 2, 3), random_stream(1, 2, 3));
    const uint64_t streams[] = {random_stream(1, 2, 3), random_stream(2, 2, 3),
                                random_stream(1, 3, 3), random_stream(1, 2, 4),
                                random_stream(3, 2, 1), random_stream(0, 0, 0)};
    for (size_t i = 0; i < LENGTH(streams); i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(streams[i], streams[j]);
}
END_TEST

START_TEST(a_unit_draw_lies_from_0_to_below_1_and_fills_it)
{
    enum { DRAWS = 100000, BINS = 10 };
    int bins[BINS] = {0};
    uint64_t state = 1;
    for (int i = 0; i < DRAWS; i++) {
        double draw = random_unit(&state);
        if (!(draw >= 0 && draw < 1))
            ck_abort_msg("%f", draw);
        bins[(int)(draw * BINS)]++;
    }
    for (int i = 0; i < BINS; i++)    /* one seed: always the same, about 10,000 each */
        ck_assert(bins[i] > 9500 && bins[i] < 10500);
}
END_TEST

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

/* --- signals, for the calls that must outlast them -------------------------------- */

static sem_t signals_seen;    /* posted by on_alarm, awaited by helpers */

static void on_alarm(int signal)
{
    (void)signal;
    sem_post(&signals_seen);
}

static void prepare_signals(void)
{
    ck_assert_int_eq(sem_init(&signals_seen, 0, 0), 0);
}

/* From here on a signal comes each millisecond, and interrupts the main thread. */
static void start_signals(void)
{
    struct sigaction action = {.sa_handler = on_alarm};    /* without SA_RESTART */
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval each = {{0, CLOCK_US}, {0, CLOCK_US}};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &each, NULL), 0);
}

static void stop_signals(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
}

static void await_signals(int count)
{
    for (int i = 0; i < count; i++)
        while (sem_wait(&signals_seen) != 0)
            continue;
}

/* Starts a helper that no signal reaches, so that the main thread gets them all. */
static pthread_t start_helper(void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run, arg), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

/* --- clock ------------------------------------------------------------------------ */

START_TEST(the_clock_never_steps_back)
{
    int64_t before = clock_ns();
    ck_assert_int_gt(before, 0);
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_ns();
        if (now < before)
            ck_abort_msg("by %lld ns", (long long)(before - now));
        before = now;
    }
}
END_TEST

START_TEST(lengths_of_time_are_converted_without_loss_of_a_wait)
{
    static const struct {
        int64_t ns, timespec_s, timespec_ns, timeval_s, timeval_us;
    } cases[] = {
        {0, 0, 0, 0, 0},
        {1, 0, 1, 0, 1},
        {1000, 0, 1000, 0, 1},
        {1001, 0, 1001, 0, 2},
        {999999999, 0, 999999999, 1, 0},
        {1000000000, 1, 0, 1, 0},
        {2500000001, 2, 500000001, 2, 500001},
        {-1, 0, 0, 0, 0},
        {INT64_MIN, 0, 0, 0, 0},
        {INT64_MAX, 9223372036, 854775807, 9223372036, 854776},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct timespec timespec = clock_timespec(cases[i].ns);
        ck_assert_int_eq(timespec.tv_sec, cases[i].timespec_s);
        ck_assert_int_eq(timespec.tv_nsec, cases[i].timespec_ns);
        struct timeval timeval = clock_timeval(cases[i].ns);
        ck_assert_int_eq(timeval.tv_sec, cases[i].timeval_s);
        ck_assert_int_eq(timeval.tv_usec, cases[i].timeval_us);
    }
}
END_TEST

START_TEST(a_sleep_is_never_shorter_than_asked)
{
    static const int64_t lengths[] = {-CLOCK_S, 0, 1, CLOCK_US, CLOCK_MS, 20 * CLOCK_MS};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        int64_t start = clock_ns();
        clock_sleep(lengths[i]);
        ck_assert_int_ge(clock_ns() - start, lengths[i]);
    }
}
END_TEST

START_TEST(a_sleep_outlasts_signals)
{
    int64_t start = clock_ns();
    start_signals();
    clock_sleep(50 * CLOCK_MS);
    stop_signals();
    ck_assert_int_ge(clock_ns() - start, 50 * CLOCK_MS);
    await_signals(1);
}
END_TEST

/* --- net -------------------------------------------------------------------------- */

/* Returns a listener on a free port of 127.0.0.1; *server says where. */
static int listen_here(struct endpoint *server, int backlog)
{
    int listener = net_listen("127.0.0.1", 0, backlog);
    ck_assert_int_ge(listener, 0);
    int port = net_port(listener);
    ck_assert_int_gt(port, 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", port, server), 0);
    return listener;
}

/* Accepts one connection, as a blocking socket. */
static int accept_one(int listener)
{
    struct pollfd readable = {.fd = listener, .events = POLLIN};
    while (poll(&readable, 1, -1) != 1)
        continue;
    return accept(listener, NULL, NULL);
}

/* Connects two sockets. */
static void connect_pair(int *client, int *peer)
{
    struct endpoint server;
    int listener = listen_here(&server, 8);
    *client = net_connect(&server, patience());
    ck_assert_int_ge(*client, 0);
    *peer = accept_one(listener);
    ck_assert_int_ge(*peer, 0);
    close(listener);
}

/* Returns a listener whose queue is full: no connection is made until one is accepted. */
static int listen_full(struct endpoint *server, int clients[2])
{
    int listener = listen_here(server, 1);    /* Linux keeps one more than the backlog */
    for (int i = 0; i < 2; i++) {
        clients[i] = net_connect(server, patience());
        ck_assert_int_ge(clients[i], 0);
    }
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    while (info.tcpi_unacked < 2) {    /* of a listener: how many wait to be accepted */
        ck_assert_int_eq(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        sched_yield();
    }
    return listener;
}

/* The lowest descriptor that is free: if it stays the same, nothing was left open. */
static int free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    ck_assert_int_ge(fd, 0);
    close(fd);
    return fd;
}

START_TEST(an_address_is_resolved_and_keeps_its_name)
{
    struct endpoint endpoint;
    ck_assert_int_eq(net_resolve("127.0.0.1", 8080, &endpoint), 0);
    ck_assert_str_eq(endpoint.name, "127.0.0.1:8080");
    struct sockaddr_in v4;
    ck_assert_uint_eq(endpoint.address_length, sizeof v4);
    memcpy(&v4, &endpoint.address, sizeof v4);
    ck_assert_int_eq(v4.sin_family, AF_INET);
    ck_assert_uint_eq(ntohs(v4.sin_port), 8080);
    ck_assert_uint_eq(ntohl(v4.sin_addr.s_addr), INADDR_LOOPBACK);

    ck_assert_int_eq(net_resolve("::1", 80, &endpoint), 0);
    ck_assert_str_eq(endpoint.name, "[::1]:80");
    ck_assert_int_eq(endpoint.address.ss_family, AF_INET6);
}
END_TEST

START_TEST(a_listener_is_nonblocking_and_its_connections_send_at_once)
{
    int before = free_descriptor();
    struct endpoint server;
    int listener = listen_here(&server, 8);
    ck_assert_int_eq(accept(listener, NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_ne(fcntl(listener, F_GETFD) & FD_CLOEXEC, 0);
    int client = net_connect(&server, patience());
    ck_assert_int_ne(fcntl(client, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
    const int ends[] = {client, accept_one(listener)};
    for (size_t i = 0; i < LENGTH(ends); i++) {
        int on = 0;
        socklen_t size = sizeof on;
        ck_assert_int_eq(getsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
        ck_assert_int_ne(on, 0);
        close(ends[i]);
    }
    close(listener);
    ck_assert_int_eq(free_descriptor(), before);
}
END_TEST

START_TEST(a_listener_takes_the_port_it_is_given_or_says_why_not)
{
    struct endpoint server;
    int listener = listen_here(&server, 8);
    int port = net_port(listener);
    int before = free_descriptor();
    ck_assert_int_eq(net_listen("127.0.0.1", port, 8), -EADDRINUSE);
    ck_assert_int_eq(net_listen("192.0.2.1", 0, 8), -EADDRNOTAVAIL);    /* RFC 5737 */
    static const char *const wrong[] = {"", "localhost", "127.0.0.256", "::g",
                                        "127.0.0.1:80"};
    for (size_t i = 0; i < LENGTH(wrong); i++)
        ck_assert_int_eq(net_listen(wrong[i], 0, 8), -EINVAL);
    ck_assert_int_eq(free_descriptor(), before);
    int client = net_connect(&server, patience());
    close(accept_one(listener));    /* leaves a connection that holds the port a while */
    close(listener);
    listener = net_listen("127.0.0.1", port, 8);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(net_port(listener), port);
    close(client);
    close(listener);
    ck_assert_int_eq(net_port(listener), -EBADF);
}
END_TEST

START_TEST(connections_are_made_over_ipv6_too)
{
    int listener = net_listen("::1", 0, 8);
    if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT)
        return;    /* this machine has none */
    struct endpoint server;
    ck_assert_int_eq(net_resolve("::1", net_port(listener), &server), 0);
    int client = net_connect(&server, patience());
    ck_assert_int_ge(client, 0);
    close(client);
    close(listener);
}
END_TEST

START_TEST(a_connection_to_a_closed_port_is_refused)
{
    struct endpoint server;
    int holder = socket(AF_INET, SOCK_STREAM, 0);    /* holds a port; listens not */
    struct sockaddr_in any = {.sin_family = AF_INET};
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(holder, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", net_port(holder), &server), 0);
    int before = free_descriptor();
    ck_assert_int_eq(net_connect(&server, patience()), -ECONNREFUSED);
    ck_assert_int_eq(net_connect(&server, INT64_MAX), -ECONNREFUSED);
    ck_assert_int_eq(net_connect(&server, clock_ns() - 1), -ETIMEDOUT);
    ck_assert_int_eq(free_descriptor(), before);
    close(holder);
}
END_TEST

START_TEST(a_nonblocking_socket_is_not_yet_connected)
{
    struct endpoint server;
    int listener = listen_here(&server, 8);
    int fd = net_socket_nonblocking(&server);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    const struct sockaddr *address = (const struct sockaddr *)&server.address;
    ck_assert_int_eq(connect(fd, address, server.address_length), -1);
    ck_assert_int_eq(errno, EINPROGRESS);
    close(fd);
    close(listener);
    struct endpoint nowhere = {.address.ss_family = AF_UNSPEC};
    ck_assert_int_eq(net_socket_nonblocking(&nowhere), -EAFNOSUPPORT);
    ck_assert_int_eq(net_connect(&nowhere, patience()), -EAFNOSUPPORT);
}
END_TEST

START_TEST(a_connect_waits_until_its_deadline_and_no_longer_for_signals)
{
    struct endpoint server;
    int clients[2];
    int listener = listen_full(&server, clients);
    int before = free_descriptor();
    for (int i = 0; i < 20; i++) {
        if (i == 3)
            start_signals();
        int64_t deadline = clock_ns() + (10 + i) * CLOCK_MS;
        int error = net_connect(&server, deadline);
        ck_assert_int_ge(clock_ns(), deadline);
        ck_assert_int_eq(error, -ETIMEDOUT);
    }
    stop_signals();
    await_signals(1);
    ck_assert_int_eq(free_descriptor(), before);
    close(clients[0]);
    close(clients[1]);
    close(listener);
}
END_TEST

static void *accept_after_signals(void *arg)
{
    int *fd = arg;
    await_signals(20);
    *fd = accept_one(*fd);
    return NULL;
}

START_TEST(a_connect_that_signals_interrupt_is_made_all_the_same)
{
    struct endpoint server;
    int clients[2];
    int listener = listen_full(&server, clients);
    int accepted = listener;
    pthread_t helper = start_helper(accept_after_signals, &accepted);
    start_signals();
    int client = net_connect(&server, INT64_MAX);    /* the kernel asks again soon */
    stop_signals();
    ck_assert_int_eq(pthread_join(helper, NULL), 0);
    ck_assert_int_ge(client, 0);
    ck_assert_int_ge(accepted, 0);
    close(accepted);
    close(client);
    close(clients[0]);
    close(clients[1]);
    close(listener);
}
END_TEST

static void *close_after_signals(void *arg)
{
    await_signals(20);
    close(*(int *)arg);
    return NULL;
}

START_TEST(a_connect_that_signals_interrupt_still_tells_a_refusal)
{
    struct endpoint server;
    int clients[2];
    int listener = listen_full(&server, clients);
    pthread_t helper = start_helper(close_after_signals, &listener);
    start_signals();
    int error = net_connect(&server, patience());
    stop_signals();
    ck_assert_int_eq(pthread_join(helper, NULL), 0);
    ck_assert_int_eq(error, -ECONNREFUSED);
    close(clients[0]);
    close(clients[1]);
}
END_TEST

START_TEST(a_receive_waits_until_its_deadline)
{
    static const int64_t waits[] = {-CLOCK_S, 0, 1, CLOCK_US, CLOCK_MS, 3 * CLOCK_MS,
                                    50 * CLOCK_MS};
    int client, peer;
    connect_pair(&client, &peer);
    for (int i = 0; i < 5; i++) {
        for (size_t w = 0; w < LENGTH(waits); w++) {
            char byte;
            int64_t deadline = clock_ns() + waits[w];
            ssize_t received = net_recv(client, &byte, 1, deadline);
            int64_t now = clock_ns();
            ck_assert_int_eq(received, -ETIMEDOUT);
            ck_assert_int_ge(now, deadline);
        }
    }
    close(client);
    close(peer);
}
END_TEST

START_TEST(a_receive_outlasts_signals)
{
    int client, peer;
    connect_pair(&client, &peer);
    start_signals();
    for (int i = 0; i < 20; i++) {
        char byte;
        int64_t deadline = clock_ns() + (10 + i) * CLOCK_MS;
        ssize_t received = net_recv(client, &byte, 1, deadline);
        ck_assert_int_ge(clock_ns(), deadline);
        ck_assert_int_eq(received, -ETIMEDOUT);
    }
    stop_signals();
    await_signals(1);
    close(client);
    close(peer);
}
END_TEST

START_TEST(a_receive_gives_what_came_then_the_end)
{
    int client, peer;
    connect_pair(&client, &peer);
    char buf[8] = "";
    ck_assert_int_eq(net_send_all(peer, "hello", 5, patience()), 0);
    ck_assert_int_eq(net_recv(client, buf, 3, patience()), 3);
    ck_assert_int_eq(net_recv(client, buf + 3, 5, patience()), 2);
    ck_assert_mem_eq(buf, "hello", 5);
    close(peer);
    ck_assert_int_eq(net_recv(client, buf, sizeof buf, patience()), 0);
    close(client);
    ck_assert_int_eq(net_recv(client, buf, sizeof buf, patience()), -EBADF);
}
END_TEST

START_TEST(a_receive_tells_a_reset)
{
    int client, peer;
    connect_pair(&client, &peer);
    struct linger reset = {.l_onoff = 1};    /* and 0 seconds: close(2) sends RST */
    ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(peer);
    char byte;
    ck_assert_int_eq(net_recv(client, &byte, 1, patience()), -ECONNRESET);
    close(client);
}
END_TEST

enum { MUCH = 64 << 20 };    /* more than the buffers of two sockets ever hold */

START_TEST(a_send_to_a_peer_that_left_is_an_error_and_no_signal)
{
    signal(SIGPIPE, SIG_DFL);
    int client, peer;
    connect_pair(&client, &peer);
    char *much = calloc(1, MUCH);
    ck_assert_ptr_nonnull(much);
    close(peer);
    int error = net_send_all(client, much, MUCH, patience());
    ck_assert_msg(error == -EPIPE || error == -ECONNRESET, "%d", error);
    ck_assert_int_eq(net_send_all(client, much, MUCH, patience()), -EPIPE);
    ck_assert_int_eq(net_send_all(client, much, 0, patience()), 0);
    free(much);
    close(client);
}
END_TEST

START_TEST(a_send_waits_until_its_deadline_signals_or_not)
{
    int client, peer;
    connect_pair(&client, &peer);    /* and the peer reads nothing */
    char *much = calloc(1, MUCH);
    ck_assert_ptr_nonnull(much);
    for (int i = 0; i < 20; i++) {
        if (i == 3)
            start_signals();
        int64_t deadline = clock_ns() + (10 + i) * CLOCK_MS;
        int error = net_send_all(client, much, MUCH, deadline);
        ck_assert_int_ge(clock_ns(), deadline);
        ck_assert_int_eq(error, -ETIMEDOUT);
    }
    stop_signals();
    await_signals(1);
    free(much);
    close(client);
    close(peer);
}
END_TEST

struct reading_helper {    /* written by its thread alone, read after the join */
    int    fd;
    size_t received;
    bool   in_order;
};

static void *read_after_signals(void *arg)
{
    struct reading_helper *helper = arg;
    static unsigned char buf[65536];
    await_signals(20);
    ssize_t got;
    while ((got = net_recv(helper->fd, buf, sizeof buf, patience())) > 0)
        for (ssize_t i = 0; i < got; i++, helper->received++)
            helper->in_order &= buf[i] == helper->received % 251;
    return NULL;
}

START_TEST(a_send_delivers_every_byte_signals_or_not)
{
    int client, peer;
    connect_pair(&client, &peer);
    unsigned char *much = malloc(MUCH);
    ck_assert_ptr_nonnull(much);
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (unsigned char)(i % 251);
    struct reading_helper reader = {.fd = peer, .in_order = true};
    pthread_t helper = start_helper(read_after_signals, &reader);
    start_signals();
    int error = net_send_all(client, much, MUCH, patience());
    close(client);
    ck_assert_int_eq(pthread_join(helper, NULL), 0);
    stop_signals();
    ck_assert_int_eq(error, 0);
    ck_assert_uint_eq(reader.received, MUCH);
    ck_assert(reader.in_order);
    free(much);
    close(peer);
}
END_TEST

/* --- csv -------------------------------------------------------------------------- */

static char folder[PATH_MAX];    /* of this run's own; gone after the tests */

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/kit_test.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        abort();
}

static void remove_folder(void)
{
    static const char *const names[] = {"table.csv", "link.csv", "folder"};
    for (size_t i = 0; i < LENGTH(names); i++) {
        char path[PATH_MAX + 16];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);    /* some tests leave none */
    }
    rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void check_file(const char *path, const char *expected)
{
    char text[200] = "";
    FILE *file = fopen(path, "r");
    ck_assert_msg(file, "%s: %s", path, strerror(errno));
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_str_eq(text, expected);
}

START_TEST(text_comes_back_from_a_row_as_it_was)
{
    static const char *const texts[] = {
        "", "plain", "a,b", ",", "\"", "\"\"", "say \"no\"", " ", "\",\"", ",,",
        "\",", ",\"", "a\"", "\"a",
    };
    enum { TEXTS = LENGTH(texts) };
    char *row = NULL;
    size_t size;
    FILE *csv = open_memstream(&row, &size);
    for (size_t i = 0; i < TEXTS; i++) {
        csv_text(csv, texts[i]);
        putc(i + 1 < TEXTS ? ',' : '\n', csv);
    }
    ck_assert_int_eq(fclose(csv), 0);
    char *fields[TEXTS];
    ck_assert_int_eq(csv_split(row, fields, TEXTS), TEXTS);
    for (size_t i = 0; i < TEXTS; i++)
        ck_assert_str_eq(fields[i], texts[i]);
    free(row);
}
END_TEST

START_TEST(text_is_quoted_only_where_it_must_be_and_stays_on_its_line)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"", ""},           {"a b", "a b"},           {"a,b", "\"a,b\""},
        {"a\"", "\"a\"\"\""}, {"a\r\nb", "\"a  b\""}, {"\n", "\" \""},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *field = NULL;
        size_t size;
        FILE *csv = open_memstream(&field, &size);
        csv_text(csv, cases[i].text);
        ck_assert_int_eq(fclose(csv), 0);
        ck_assert_str_eq(field, cases[i].field);
        free(field);
    }
}
END_TEST

START_TEST(a_row_of_any_form_is_taken_apart)
{
    static const struct {
        const char *line;
        int         count;
        const char *fields[4];
    } cases[] = {
        {"", 1, {""}},
        {"\n", 1, {""}},
        {"a", 1, {"a"}},
        {"a\r\n", 1, {"a"}},
        {",", 2, {"", ""}},
        {"a,,b,\n", 4, {"a", "", "b", ""}},
        {"\"\",\"\"\n", 2, {"", ""}},
        {"\"a,b\",c\n", 2, {"a,b", "c"}},
        {"\"\"\"\",\"a\"\"b\"\n", 2, {"\"", "a\"b"}},
        {"a\"b,c", 2, {"a\"b", "c"}},
        {"\"open,a\n", 1, {"open,a"}},
        {"\"\n", 1, {""}},
        {"\"a\"\"\n", 1, {"a\""}},
        {"\"a\"junk,b\n", 2, {"a", "b"}},
        {"a,b,c,d,e,f\n", 6, {"a", "b", "c", "d"}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *line = strdup(cases[i].line);    /* on the heap, guarded */
        ck_assert_ptr_nonnull(line);
        char *fields[4] = {0};
        ck_assert_int_eq(csv_split(line, fields, 4), cases[i].count);
        for (int f = 0; f < 4 && f < cases[i].count; f++)
            ck_assert_str_eq(fields[f], cases[i].fields[f]);
        free(line);
    }
}
END_TEST

START_TEST(a_table_replaces_what_was_there)
{
    const char *path = path_of("table.csv");
    for (int i = 0; i < 2; i++) {
        FILE *csv = csv_create(path, "a,b");
        ck_assert_ptr_nonnull(csv);
        fprintf(csv, "%d,2\n", i);
        ck_assert_int_eq(csv_finish(csv, path), 0);
    }
    check_file(path, "a,b\n1,2\n");
    ck_assert_ptr_null(csv_create(path_of("none/table.csv"), "a,b"));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(asking_whether_a_table_can_be_written_changes_nothing)
{
    const char *path = path_of("table.csv");
    remove(path);
    ck_assert_int_eq(csv_writable(path), 0);
    ck_assert_int_eq(access(path, F_OK), -1);
    FILE *csv = csv_create(path, "kept");
    ck_assert_int_eq(csv_finish(csv, path), 0);
    ck_assert_int_eq(csv_writable(path), 0);
    check_file(path, "kept\n");
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_int_eq(csv_writable(path), geteuid() == 0 ? 0 : -EACCES);
    ck_assert_int_eq(csv_writable(path_of("none/table.csv")), -ENOENT);
    ck_assert_int_eq(csv_writable("/dev/full"), 0);
    path = path_of("folder");
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(csv_writable(path), -EISDIR);
    ck_assert_int_eq(rmdir(path), 0);    /* it is still there */
}
END_TEST

START_TEST(a_full_disk_is_told_and_a_device_stays)
{
    const char *link = path_of("link.csv");
    remove(link);
    ck_assert_int_eq(symlink("/dev/full", link), 0);
    const char *const paths[] = {"/dev/full", link};
    for (size_t i = 0; i < LENGTH(paths); i++) {
        for (int rows = 0; rows <= 100000; rows += 100000) {    /* seen late; early */
            FILE *csv = csv_create(paths[i], "a,b");
            ck_assert_ptr_nonnull(csv);
            for (int row = 0; row < rows; row++)
                fprintf(csv, "%d,2\n", row);
            ck_assert_int_eq(csv_finish(csv, paths[i]), -ENOSPC);
            struct stat status;
            ck_assert_int_eq(lstat(paths[i], &status), 0);
        }
    }
    ck_assert_int_eq(remove(link), 0);
}
END_TEST

/* Writes a table of 100 KB where no file may be longer than 4 KB. */
static int write_too_much(const char *path)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, low;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
    FILE *csv = csv_create(path, "a");
    for (int i = 0; csv && i < 50000; i++)
        fputs("1\n", csv);
    int error = csv ? csv_finish(csv, path) : -errno;
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    return error;
}

START_TEST(a_table_that_could_not_be_finished_is_removed)
{
    const char *path = path_of("table.csv");
    ck_assert_int_eq(write_too_much(path), -EFBIG);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_link_to_a_table_that_could_not_be_finished_stays)
{
    const char *link = path_of("link.csv");
    remove(link);
    ck_assert_int_eq(symlink("table.csv", link), 0);
    ck_assert_int_eq(write_too_much(link), -EFBIG);
    struct stat status;
    ck_assert_int_eq(lstat(link, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

/* --- result ----------------------------------------------------------------------- */

START_TEST(a_result_is_ok_when_a_whole_reply_says_so)
{
    static const struct {
        int  error, status;
        bool ok;
    } cases[] = {
        {0, 200, true}, {0, 204, true}, {0, 299, true}, {0, 199, false}, {0, 300, false},
        {0, 404, false}, {0, 503, false}, {0, 0, false}, {EBADMSG, 200, false},
        {ETIMEDOUT, 200, false}, {ECANCELED, 0, false},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct result result = {.error = cases[i].error, .status = cases[i].status};
        ck_assert_int_eq(result_ok(&result), cases[i].ok);
    }
}
END_TEST

/* A row as result_write writes it, without its end; the caller frees it. */
static char *row_of(const char *model, int trial, int request, int64_t zero_ns,
                    const struct result *result)
{
    char *row = NULL;
    size_t size;
    FILE *csv = open_memstream(&row, &size);
    result_write(csv, model, trial, request, zero_ns, result);
    ck_assert_int_eq(fclose(csv), 0);
    ck_assert_int_eq(row[size - 1], '\n');
    return row;
}

START_TEST(a_result_has_a_row_that_matches_the_header)
{
    static const struct result whole = {1000, 1001, 1002, 2003, 2004, 999, 5, 200, 0};
    char *row = row_of("a,b", 3, 17, 1000, &whole);
    ck_assert_str_eq(row, "\"a,b\",3,17,0,1,2,1003,1004,999,200,5,\n");
    char *fields[12];
    char header[200];
    snprintf(header, sizeof header, "%s", result_csv_header);
    ck_assert_int_eq(csv_split(header, fields, 12), 12);
    ck_assert_int_eq(csv_split(row, fields, 12), 12);
    free(row);

    static const struct result never = {.error = ECANCELED};
    row = row_of("pool", 0, 0, 1000, &never);
    ck_assert_str_eq(row, "pool,0,0,,,,,,0,0,0,ECANCELED\n");
    free(row);
}
END_TEST

/* A time is read as it was, from zero_ns on, or as -1 where it was never reached. */
static void check_time(int64_t read, int64_t written, int64_t zero_ns)
{
    ck_assert_int_eq(read, written ? written - zero_ns : -1);
}

START_TEST(a_row_is_read_as_it_was_written)
{
    static const struct result results[] = {
        {1000, 1001, 1002, 2003, 2004, 999, 5, 200, 0},
        {1000, 0, 0, 0, 1500, 0, 0, 0, ECONNREFUSED},
        {1500, 1600, 1700, 0, 1800, 0, 0, 0, ECONNRESET},
        {1500, 1600, 1700, 1750, 1800, 0, INT64_MAX, 599, EBADMSG},
        {.error = ECANCELED},
    };
    for (size_t i = 0; i < LENGTH(results); i++) {
        const struct result *in = &results[i];
        char *row = row_of("m", 1, INT_MAX, 1000, in);
        int request;
        struct result out;
        ck_assert_int_eq(result_read(row, &request, &out), 0);
        free(row);
        ck_assert_int_eq(request, INT_MAX);
        check_time(out.start_ns, in->start_ns, 1000);
        check_time(out.connected_ns, in->connected_ns, 1000);
        check_time(out.sent_ns, in->sent_ns, 1000);
        check_time(out.first_byte_ns, in->first_byte_ns, 1000);
        check_time(out.end_ns, in->end_ns, 1000);
        ck_assert_int_eq(out.server_wait_ns, in->server_wait_ns);
        ck_assert_int_eq(out.bytes, in->bytes);
        ck_assert_int_eq(out.status, in->status);
        ck_assert_int_eq(out.error, in->error);
    }
}
END_TEST

START_TEST(a_row_that_is_wrong_is_refused)
{
    static const char *const rows[] = {
        "",
        "m,0,0,,,,,,0,0,0",
        "m,0,0,,,,,,0,0,0,,",
        "m,0,,,,,,,0,0,0,",
        "m,0,x,,,,,,0,0,0,",
        "m,0,-1,,,,,,0,0,0,",
        "m,0,2147483648,,,,,,0,0,0,",
        "m,0,0,x,,,,,0,0,0,",
        "m,0,0,-1,,,,,0,0,0,",
        "m,0,0,,,,,1.5,0,0,0,",
        "m,0,0,,,,,99999999999999999999,0,0,0,",
        "m,0,0,,,,,,,0,0,",
        "m,0,0,,,,,,-5,0,0,",
        "m,0,0,,,,,,0,,0,",
        "m,0,0,,,,,,0,600,0,",
        "m,0,0,,,,,,0,0,,",
        "m,0,0,,,,,,0,0,-1,",
        "m,0,0,,,,,,0,0,0,EWHATEVER",
        "m,0,0,,,,,,0,0,0,0",
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char line[100];
        snprintf(line, sizeof line, "%s", rows[i]);
        int request;
        struct result result;
        ck_assert_msg(result_read(line, &request, &result) == -EINVAL, "%s", rows[i]);
    }
}
END_TEST

START_TEST(an_error_has_a_name_and_words)
{
    static const int errors[] = {ECONNRESET, ENODATA, EBADMSG, EPROTO, ETIMEDOUT,
                                 ECANCELED, ECONNREFUSED, EADDRNOTAVAIL, EMFILE};
    for (size_t i = 0; i < LENGTH(errors); i++) {
        ck_assert_int_eq(result_error_name(errors[i])[0], 'E');
        ck_assert_str_ne(result_error_words(errors[i]), strerror(errors[i]));
    }
    ck_assert_str_eq(result_error_name(0), "");
    ck_assert_str_eq(result_error_name(ECONNRESET), "ECONNRESET");
    ck_assert_str_eq(result_error_name(99999), "EIO");    /* a name that a reader knows */
    ck_assert_str_eq(result_error_words(ECONNRESET), "reset by the server");
    ck_assert_str_eq(result_error_words(ENOMEM), strerror(ENOMEM));
}
END_TEST

/* --- options ---------------------------------------------------------------------- */

struct values {
    bool                quick;
    const char         *output;
    struct option_texts tags;
    int64_t             count, stack, timeout;
};

#define AT(member) offsetof(struct values, member)
static const struct option_spec specs[] = {
    {'q', "quick", NULL, OPTION_FLAG, AT(quick), 0, 0, "be quick"},
    {'o', "output", "FILE", OPTION_TEXT, AT(output), 0, 0, "where to"},
    {'t', "tag", "TAG", OPTION_TEXTS, AT(tags), 0, 0, "a tag; may be given again"},
    {'n', "count", "COUNT", OPTION_COUNT, AT(count), 1, 1000, "how many"},
    {'s', "stack", "SIZE", OPTION_SIZE, AT(stack), 16384, 1 << 30, "room"},
    {0, "timeout", "T", OPTION_DURATION, AT(timeout), CLOCK_MS, 60LL * CLOCK_S, "time"},
    {0, "time-zone", "ZONE", OPTION_TEXT, AT(output), 0, 0, "not in use"},
};

static const struct option_program program = {"prog", "URL", "Does as it is told.", specs,
                                              LENGTH(specs), 0, 2};

/* A command line, split at its spaces. */
struct command {
    char          text[600];
    char         *argv[40];
    int           argc;
    struct values values;    /* as they were parsed */
    char          why[OPTIONS_WHY];
};

static void write_command(struct command *command, const char *text)
{
    *command = (struct command){.argv = {"prog"}, .argc = 1};
    snprintf(command->text, sizeof command->text, "%s", text);
    char *rest = command->text;
    char *word;
    while ((word = strsep(&rest, " ")) != NULL)    /* two spaces make an empty word */
        command->argv[command->argc++] = word;
}

static int parse(struct command *command, const char *text)
{
    write_command(command, text);
    return options_parse(&program, command->argc, command->argv, &command->values,
                         command->why);
}

START_TEST(options_of_each_kind_are_taken_in_any_spelling)
{
    static const char *const lines[] = {
        "-q -o x,y -t a -t b -n 5 -s 64K --timeout 50ms URL",
        "URL -q -ox,y -ta -tb -n5 -s64K --timeout=50ms",
        "-q -o x,y URL --tag=a --tag b --count=5 --stack=65536 --timeout=0.05",
        "-qox,y --ta a --ta=b --cou 5 --s=64K --timeo=50000us -- URL",
        "-qqn 9 -n5 --output= -ox,y -ta -tb -s 64K --timeout 1m --timeout 50ms URL",
    };
    for (size_t i = 0; i < LENGTH(lines); i++) {
        struct command command;
        int first = parse(&command, lines[i]);
        ck_assert_msg(first == command.argc - 1, "%s: %d %s", lines[i], first,
                      command.why);
        ck_assert_str_eq(command.argv[first], "URL");
        const struct values *values = &command.values;
        ck_assert(values->quick);
        ck_assert_str_eq(values->output, "x,y");
        ck_assert_int_eq(values->tags.count, 2);
        ck_assert_str_eq(values->tags.items[0], "a");
        ck_assert_str_eq(values->tags.items[1], "b");
        ck_assert_int_eq(values->count, 5);
        ck_assert_int_eq(values->stack, 65536);
        ck_assert_int_eq(values->timeout, 50 * CLOCK_MS);
    }
}
END_TEST

START_TEST(options_that_are_not_given_keep_their_defaults)
{
    char *argv[] = {"prog", NULL};
    struct values values = {.output = "x", .count = 7, .stack = 8, .timeout = 9};
    char why[OPTIONS_WHY];
    ck_assert_int_eq(options_parse(&program, 1, argv, &values, why), 1);
    ck_assert(!values.quick);
    ck_assert_str_eq(values.output, "x");
    ck_assert_int_eq(values.tags.count, 0);
    ck_assert_int_eq(values.count, 7);
    ck_assert_int_eq(values.stack, 8);
    ck_assert_int_eq(values.timeout, 9);
}
END_TEST

START_TEST(operands_may_stand_anywhere_and_be_anything_after_two_dashes)
{
    static const struct {
        const char *line, *operands[2];
    } cases[] = {
        {"a b -q", {"a", "b"}},
        {"a -q b", {"a", "b"}},
        {"-q -- -n b", {"-n", "b"}},
        {"a -q -- --", {"a", "--"}},
        {"- -q ", {"-", ""}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct command command;
        int first = parse(&command, cases[i].line);
        ck_assert_int_eq(first, command.argc - 2);
        ck_assert(command.values.quick);
        ck_assert_str_eq(command.argv[first], cases[i].operands[0]);
        ck_assert_str_eq(command.argv[first + 1], cases[i].operands[1]);
    }
}
END_TEST

#define SEE "; --help lists the options"
#define TAKEN "; --help shows what is taken"

static const struct {
    const char *line, *why;
} complaints[] = {
    /* no such option */
    {"-x", "-x: no such option" SEE},
    {"-xn", "-x: no such option" SEE},
    {"-qx", "-x: no such option" SEE},
    {"-qxn 5", "-x: no such option" SEE},
    {"a b -xq", "-x: no such option" SEE},
    {"-n 5 -x=3", "-x: no such option" SEE},
    {"-q-", "--: no such option" SEE},
    {"-=", "-=: no such option" SEE},
    {"-:", "-:: no such option" SEE},
    {"-?", "-?: no such option" SEE},
    {"--colour", "--colour: no such option" SEE},
    {"--colour=red", "--colour: no such option" SEE},
    {"a -q b --colour red", "--colour: no such option" SEE},
    {"--count5", "--count5: no such option" SEE},
    {"--counts=5", "--counts: no such option" SEE},
    {"-qn5 --x", "--x: no such option" SEE},
    {"---", "---: no such option" SEE},
    {"--time", "--time: may stand for more than one option" SEE},
    {"a --t=5", "--t: may stand for more than one option" SEE},
    {"--=5", "--: may stand for more than one option" SEE},
    /* an argument missing, or too many */
    {"-n", "-n: needs an argument" SEE},
    {"-qn", "-n: needs an argument" SEE},
    {"a b -n", "-n: needs an argument" SEE},
    {"--count", "--count: needs an argument" SEE},
    {"-q a --timeout", "--timeout: needs an argument" SEE},
    {"a --cou", "--cou: needs an argument" SEE},
    {"--quick=yes", "--quick: takes no argument" SEE},
    {"a -n 5 --qu=yes b", "--qu: takes no argument" SEE},
    {"--help=me", "--help: takes no argument" SEE},
    {"a b c", "'c': one argument too many" TAKEN},
    {"-q a -n 5 b c d", "'c': one argument too many" TAKEN},
    /* not of the form */
    {"-n x", "-n: 'x' is not a whole number such as 100 or 10k"},
    {"-n5x", "-n: '5x' is not a whole number such as 100 or 10k"},
    {"-n ", "-n: '' is not a whole number such as 100 or 10k"},
    {"-n -5", "-n: '-5' is not a whole number such as 100 or 10k"},
    {"-n=5", "-n: '=5' is not a whole number such as 100 or 10k"},
    {"--count=", "--count: '' is not a whole number such as 100 or 10k"},
    {"--count=1.5", "--count: '1.5' is not a whole number such as 100 or 10k"},
    {"--count -q", "--count: '-q' is not a whole number such as 100 or 10k"},
    {"--cou 5K", "--count: '5K' is not a whole number such as 100 or 10k"},
    {"-s 64k", "-s: '64k' is not a size such as 65536 or 64K"},
    {"--timeout 5x", "--timeout: '5x' is not a duration such as 50ms, 2s or 0.05"},
    /* out of range */
    {"-n0", "-n: 0 is out of range; it goes from 1 to 1000"},
    {"-n 1001", "-n: 1001 is out of range; it goes from 1 to 1000"},
    {"--count=2k", "--count: 2k is out of range; it goes from 1 to 1000"},
    {"-n 99999999999999999999",
     "-n: 99999999999999999999 is out of range; it goes from 1 to 1000"},
    {"-s 4K", "-s: 4K is out of range; it goes from 16384 to 1073741824"},
    {"--timeout=0", "--timeout: 0 is out of range; it goes from 1ms to 60s"},
    {"--timeout 2m", "--timeout: 2m is out of range; it goes from 1ms to 60s"},
    {"-t1 -t2 -t3 -t4 -t5 -t6 -t7 -t8 -t9 -t10 -t11 -t12 -t13 -t14 -t15 -t16 --tag 17",
     "--tag: given more than 16 times"},
};

START_TEST(a_complaint_names_the_option_and_says_what_is_wrong)
{
    struct command command;
    ck_assert_int_eq(parse(&command, complaints[_i].line), -EINVAL);
    ck_assert_str_eq(command.why, complaints[_i].why);
    ck_assert_int_eq(parse(&command, "-n 5 URL"), 3);    /* nothing of it is left */
    ck_assert_int_eq(command.values.count, 5);
}
END_TEST

START_TEST(the_limits_of_a_range_belong_to_it)
{
    static const char *const lines[] = {"-n 1",     "-n 1k",         "-s 16K",
                                        "-s 1024M", "--timeout 1ms", "--timeout 1m"};
    for (size_t i = 0; i < LENGTH(lines); i++) {
        struct command command;
        ck_assert_int_eq(parse(&command, lines[i]), command.argc);
    }
}
END_TEST

START_TEST(a_missing_operand_is_named)
{
    struct option_program strict = program;
    strict.operands_min = 1;
    struct command command;
    write_command(&command, "-q");
    struct values values = {0};
    char why[OPTIONS_WHY];
    ck_assert_int_eq(options_parse(&strict, command.argc, command.argv, &values, why),
                     -EINVAL);
    ck_assert_str_eq(why, "URL: missing" TAKEN);
}
END_TEST

START_TEST(a_complaint_stays_within_its_buffer)
{
    static const char *const starts[] = {"--",         "--count=", "-n",
                                         "--timeout=", "-q ",      "-n1 --x"};
    for (size_t i = 0; i < LENGTH(starts); i++) {
        char line[600];
        int used = snprintf(line, sizeof line, "a b %s", starts[i]);
        memset(line + used, '9', 500);
        line[used + 500] = '\0';
        struct command command;
        write_command(&command, line);
        struct values values = {0};
        char *why = malloc(OPTIONS_WHY);
        ck_assert_ptr_nonnull(why);
        int error = options_parse(&program, command.argc, command.argv, &values, why);
        ck_assert_int_eq(error, -EINVAL);
        ck_assert_uint_lt(strnlen(why, OPTIONS_WHY), OPTIONS_WHY);
        free(why);
    }
}
END_TEST

START_TEST(help_lists_every_option)
{
    static const char *const lines[] = {"-h", "--help", "a b c -qh", "--he",
                                        "-n 5 -h -x"};
    for (size_t i = 0; i < LENGTH(lines); i++) {
        struct command command;
        ck_assert_int_eq(parse(&command, lines[i]), OPTIONS_HELP);
    }
    char *help = NULL;
    size_t size;
    FILE *out = open_memstream(&help, &size);
    options_print_help(&program, out);
    ck_assert_int_eq(fclose(out), 0);
    static const char *const lines_of_help[] = {
        "usage: prog [OPTION...] URL\nDoes as it is told.\n\n",
        "\n  -q, --quick                be quick\n",
        "\n  -n, --count COUNT          how many\n",
        "\n      --timeout T            time\n",
        "\n  -h, --help                 print this and exit\n",
    };
    for (size_t i = 0; i < LENGTH(lines_of_help); i++)
        ck_assert_msg(strstr(help, lines_of_help[i]), "%s", help);
    free(help);
}
END_TEST

/* Runs the beginning and the end of a main in a child, with its standard error in a pipe.
   Returns its exit status, and what it wrote in text. */
static int run_main(const char *line, const char *standard_output, char *text,
                    size_t size)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        if (!freopen(standard_output, "w", stdout))
            _exit(99);
        struct command command;
        write_command(&command, line);
        struct values values = {0};
        int first = options_or_exit(&program, command.argc, command.argv, &values);
        printf("operand %d\n", first);
        exit(options_exit_status(&program, 3));
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(a_main_ends_with_the_status_that_tells)
{
    static const struct {
        const char *line, *standard_output;
        int         status;
        const char *text;
    } cases[] = {
        {"-q URL", "/dev/stderr", 3, "operand 2\n"},
        {"-x", "/dev/stderr", 2, "prog: -x: no such option" SEE "\n"},
        {"--help", "/dev/null", 0, ""},
        {"--help", "/dev/full", 1, "prog: standard output: No space left on device\n"},
        {"-q URL", "/dev/full", 1, "prog: standard output: No space left on device\n"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[200];
        int status = run_main(cases[i].line, cases[i].standard_output, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_int_eq(status, cases[i].status);
    }
}
END_TEST

/* --- the suite -------------------------------------------------------------------- */

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    return tests;
}

static void add_numbers(Suite *suite)
{
    TCase *units = add_case(suite, "units");
    tcase_add_test(units, durations_are_read_whole_or_not_at_all);
    tcase_add_test(units, counts_are_read_whole_or_not_at_all);
    tcase_add_test(units, sizes_are_read_whole_or_not_at_all);
    tcase_add_test(units, durations_are_written_with_three_digits_and_a_unit_that_suits);
    TCase *stats = add_case(suite, "stats");
    tcase_add_test(stats, sorting_orders_the_whole_range_of_values);
    tcase_add_test(stats, a_quantile_is_the_smallest_value_that_covers_its_share);
    TCase *random = add_case(suite, "random");
    tcase_add_test(random, the_generator_is_splitmix64);
    tcase_add_test(random, a_stream_depends_on_each_of_its_numbers_and_on_nothing_else);
    tcase_add_test(random, a_unit_draw_lies_from_0_to_below_1_and_fills_it);
}

static void add_http(Suite *suite)
{
    TCase *request = add_case(suite, "request");
    tcase_add_test(request, a_url_is_taken_apart);
    tcase_add_test(request, a_wrong_url_is_refused_with_the_reason);
    tcase_add_test(request, a_url_is_bounded_by_its_buffers);
    tcase_add_test(request, a_request_asks_for_its_target_and_for_the_connections_end);
    tcase_add_test(request, any_url_that_is_taken_makes_a_request_that_fits);
    TCase *reader = add_case(suite, "reader");
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

static void add_waiting(Suite *suite)
{
    TCase *clock = add_case(suite, "clock");
    tcase_add_checked_fixture(clock, prepare_signals, NULL);
    tcase_add_test(clock, the_clock_never_steps_back);
    tcase_add_test(clock, lengths_of_time_are_converted_without_loss_of_a_wait);
    tcase_add_test(clock, a_sleep_is_never_shorter_than_asked);
    tcase_add_test(clock, a_sleep_outlasts_signals);
    TCase *net = add_case(suite, "net");
    tcase_add_checked_fixture(net, prepare_signals, NULL);
    tcase_add_test(net, an_address_is_resolved_and_keeps_its_name);
    tcase_add_test(net, a_listener_is_nonblocking_and_its_connections_send_at_once);
    tcase_add_test(net, a_listener_takes_the_port_it_is_given_or_says_why_not);
    tcase_add_test(net, connections_are_made_over_ipv6_too);
    tcase_add_test(net, a_connection_to_a_closed_port_is_refused);
    tcase_add_test(net, a_nonblocking_socket_is_not_yet_connected);
    tcase_add_test(net, a_connect_waits_until_its_deadline_and_no_longer_for_signals);
    tcase_add_test(net, a_connect_that_signals_interrupt_is_made_all_the_same);
    tcase_add_test(net, a_connect_that_signals_interrupt_still_tells_a_refusal);
    tcase_add_test(net, a_receive_waits_until_its_deadline);
    tcase_add_test(net, a_receive_outlasts_signals);
    tcase_add_test(net, a_receive_gives_what_came_then_the_end);
    tcase_add_test(net, a_receive_tells_a_reset);
    tcase_add_test(net, a_send_to_a_peer_that_left_is_an_error_and_no_signal);
    tcase_add_test(net, a_send_waits_until_its_deadline_signals_or_not);
    tcase_add_test(net, a_send_delivers_every_byte_signals_or_not);
}

static void add_tables(Suite *suite)
{
    TCase *csv = add_case(suite, "csv");
    tcase_add_unchecked_fixture(csv, make_folder, remove_folder);
    tcase_add_test(csv, text_comes_back_from_a_row_as_it_was);
    tcase_add_test(csv, text_is_quoted_only_where_it_must_be_and_stays_on_its_line);
    tcase_add_test(csv, a_row_of_any_form_is_taken_apart);
    tcase_add_test(csv, a_table_replaces_what_was_there);
    tcase_add_test(csv, asking_whether_a_table_can_be_written_changes_nothing);
    tcase_add_test(csv, a_full_disk_is_told_and_a_device_stays);
    tcase_add_test(csv, a_table_that_could_not_be_finished_is_removed);
    tcase_add_test(csv, a_link_to_a_table_that_could_not_be_finished_stays);
    TCase *result = add_case(suite, "result");
    tcase_add_test(result, a_result_is_ok_when_a_whole_reply_says_so);
    tcase_add_test(result, a_result_has_a_row_that_matches_the_header);
    tcase_add_test(result, a_row_is_read_as_it_was_written);
    tcase_add_test(result, a_row_that_is_wrong_is_refused);
    tcase_add_test(result, an_error_has_a_name_and_words);
}

static void add_options(Suite *suite)
{
    TCase *options = add_case(suite, "options");
    tcase_add_test(options, options_of_each_kind_are_taken_in_any_spelling);
    tcase_add_test(options, options_that_are_not_given_keep_their_defaults);
    tcase_add_test(options, operands_may_stand_anywhere_and_be_anything_after_two_dashes);
    tcase_add_loop_test(options, a_complaint_names_the_option_and_says_what_is_wrong, 0,
                        LENGTH(complaints));
    tcase_add_test(options, the_limits_of_a_range_belong_to_it);
    tcase_add_test(options, a_missing_operand_is_named);
    tcase_add_test(options, a_complaint_stays_within_its_buffer);
    tcase_add_test(options, help_lists_every_option);
    tcase_add_test(options, a_main_ends_with_the_status_that_tells);
}

int main(void)
{
    Suite *suite = suite_create("kit");
    add_numbers(suite);
    add_http(suite);
    add_waiting(suite);
    add_tables(suite);
    add_options(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
