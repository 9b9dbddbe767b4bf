#include "kit/http.h"

#include "kit/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char placeholder[] = "{i}";

/* The parts of a URL. Each reads what stands at *at, moves *at past it, and returns NULL,
   or what is wrong, in words. */

static const char *take_host(const char **at, struct http_url *url)
{
    const char *host = *at;
    const char *end = host + strcspn(host, ":/?");
    *at = end;
    if (*host == '[') {    /* an IPv6 address has colons of its own: RFC 3986, 3.2.2 */
        host++;
        end = host + strcspn(host, "]/");
        if (*end != ']')
            return "an IPv6 address ends with ], as in http://[::1]:8080/";
        *at = end + 1;
    }
    size_t length = (size_t)(end - host);
    if (length == 0)
        return "the URL names no host, as in http://127.0.0.1:8080/";
    if (length >= sizeof url->host)
        return "the URL's host is longer than 253 bytes";
    memcpy(url->host, host, length);
    url->host[length] = '\0';
    return NULL;
}

static const char *take_port(const char **at, struct http_url *url)
{
    if (**at != ':')
        return "the URL names no port, as in http://127.0.0.1:8080/";
    const char *digits = *at + 1;
    size_t count = strspn(digits, "0123456789");
    *at = digits + count;
    bool ends = strchr("/?", **at);    /* or with the text: strchr finds its end too */
    long port = count > 0 && ends ? strtol(digits, NULL, 10) : 0;
    if (port < 1 || port > 65535)
        return "the URL's port is not a number from 1 to 65535";
    url->port = (int)port;
    return NULL;
}

static const char *take_target(const char **at, struct http_url *url)
{
    const char *slash = **at == '/' ? "" : "/";
    int length = snprintf(url->target, sizeof url->target, "%s%s", slash, *at);
    if (length >= (int)sizeof url->target)
        return "the URL's path is longer than 511 bytes";
    *at += strlen(*at);
    int numbers = 0;    /* each may grow from 3 bytes to 11: HTTP_REQUEST holds so many */
    for (const char *c = url->target; (c = strstr(c, placeholder)) != NULL; c++)
        numbers++;
    return numbers > 16 ? "the URL has {i} more than 16 times" : NULL;
}

const char *http_parse_url(const char *text, struct http_url *url)
{
    static const char scheme[] = "http://";
    if (strncasecmp(text, scheme, strlen(scheme)) != 0)
        return "a URL starts with http://, as in http://127.0.0.1:8080/delay/50ms";
    const char *at = text + strlen(scheme);
    /* A space or a control character would end the line of the request early. */
    for (const char *c = at; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '#')
            return "the URL has a space, a control character or a #";
    const char *wrong = take_host(&at, url);
    if (!wrong)
        wrong = take_port(&at, url);
    if (!wrong)
        wrong = take_target(&at, url);
    return wrong;
}

/* Appends text where it fits; *used counts on where it does not, as snprintf(3) would. */
static void append(char *buf, size_t size, size_t *used, const char *text, size_t len)
{
    if (*used + len <= size)
        memcpy(buf + *used, text, len);
    *used += len;
}

int http_write_request(char *buf, size_t size, const char *host, const char *target,
                       int number)
{
    char digits[16];
    int digits_length = snprintf(digits, sizeof digits, "%d", number);
    size_t used = 0;
    append(buf, size, &used, "GET ", 4);
    const char *found;
    while ((found = strstr(target, placeholder)) != NULL) {
        append(buf, size, &used, target, (size_t)(found - target));
        append(buf, size, &used, digits, (size_t)digits_length);
        target = found + strlen(placeholder);
    }
    append(buf, size, &used, target, strlen(target));
    static const char middle[] = " HTTP/1.1\r\nHost: ";
    append(buf, size, &used, middle, strlen(middle));
    append(buf, size, &used, host, strlen(host));
    static const char last[] = "\r\nConnection: close\r\n\r\n";
    append(buf, size, &used, last, strlen(last));
    return used <= size ? (int)used : -ENOBUFS;
}

/* What the next byte belongs to. The states up to TRAILER collect a line. */
enum state { STATUS_LINE, HEADER, CHUNK_SIZE, CHUNK_END, TRAILER, BODY, CHUNK_DATA };

/* A line that fills its buffer counts as cut. */
enum { LINE_MOST = HTTP_LINE - 1 };

void http_reader_init(struct http_reader *reader)
{
    *reader = (struct http_reader){.state = STATUS_LINE};
}

/* Whether byte may stand at this place of a status line. Asked of each byte as it comes:
   garbage may never send a line's end. */
static bool fits_status_line(size_t at, char byte)
{
    static const char form[] = "HTTP/1.d ddd";    /* d: a digit */
    if (at >= strlen(form))
        return true;
    return form[at] == 'd' ? byte >= '0' && byte <= '9' : byte == form[at];
}

static int take_status_line(struct http_reader *reader)
{
    /* "HTTP/1.1 200 OK"; fits_status_line has seen to the first twelve bytes. */
    const char *line = reader->line;
    if (reader->line_length < 12 || (line[12] != ' ' && line[12] != '\0'))
        return -EPROTO;
    reader->status = atoi(line + 9);
    if (reader->status < 100 || reader->status > 599)
        return -EPROTO;
    reader->state = HEADER;
    return HTTP_MORE;
}

static int take_content_length(struct http_reader *reader, const char *value)
{
    int64_t length;
    if (strspn(value, "0123456789") != strlen(value) ||
        units_parse_count(value, &length) != 0)
        return -EPROTO;
    if (reader->has_length && reader->body_left != length)
        return -EPROTO;    /* two lengths that differ: RFC 9112, 6.3, item 5 */
    reader->has_length = true;
    reader->body_left = length;
    return HTTP_MORE;
}

static void take_server_timing(struct http_reader *reader, const char *value)
{
    static const char key[] = "wait;dur=";    /* in ms: W3C Server Timing, 2 */
    const char *found = strstr(value, key);
    while (found && found > value && !strchr(", \t", found[-1]))
        found = strstr(found + 1, key);    /* that was the end of another name */
    if (!found)
        return;
    const char *digits = found + strlen(key);
    char number[UNITS_TEXT];
    snprintf(number, sizeof number, "%.*s", (int)strspn(digits, "0123456789."), digits);
    int64_t thousandfold;
    if (units_parse_duration(number, &thousandfold) == 0)    /* read as seconds */
        reader->server_wait_ns = thousandfold / 1000;
}

static int take_header(struct http_reader *reader)
{
    char *line = reader->line;
    bool cut = reader->line_length == LINE_MOST;
    if (*line == ' ' || *line == '\t')
        return HTTP_MORE;    /* an old-style continuation; none of ours is ever so long */
    size_t name_length = strcspn(line, ": \t");
    if (name_length == LINE_MOST)
        return HTTP_MORE;    /* no name that we know */
    if (name_length == 0 || line[name_length] != ':')
        return -EPROTO;
    line[name_length] = '\0';
    char *value = line + name_length + 1;
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && strchr(" \t", value[length - 1]))
        length--;
    value[length] = '\0';

    /* A cut value may mislead: it is refused where the body's end depends on it. */
    if (strcasecmp(line, "Content-Length") == 0)
        return cut ? -EPROTO : take_content_length(reader, value);
    if (strcasecmp(line, "Transfer-Encoding") == 0) {
        if (cut || strcasecmp(value, "chunked") != 0)
            return -EPROTO;    /* no other was asked for: RFC 9112, 7.4 */
        reader->chunked = true;
    }
    if (strcasecmp(line, "Server-Timing") == 0 && !cut)
        take_server_timing(reader, value);
    return HTTP_MORE;
}

/* The empty line: how the body's end will be known is decided here (RFC 9112, 6.3). */
static int take_head_end(struct http_reader *reader)
{
    if (reader->status < 200) {    /* an interim reply; the real one follows */
        int head_bytes = reader->head_bytes;
        http_reader_init(reader);
        reader->head_bytes = head_bytes;    /* bounds them all, or they might never end */
        return HTTP_MORE;
    }
    if (reader->status == 204 || reader->status == 304)
        return HTTP_WHOLE;
    if (reader->chunked) {
        reader->state = CHUNK_SIZE;
        reader->head_bytes = 0;
        return HTTP_MORE;
    }
    reader->state = BODY;
    if (!reader->has_length)
        reader->body_left = -1;
    return reader->body_left == 0 ? HTTP_WHOLE : HTTP_MORE;
}

static int take_chunk_size(struct http_reader *reader)
{
    size_t digits = strspn(reader->line, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 15 || !strchr("; \t", reader->line[digits]))
        return -EPROTO;
    reader->body_left = strtoll(reader->line, NULL, 16);
    reader->state = reader->body_left == 0 ? TRAILER : CHUNK_DATA;
    reader->head_bytes = 0;    /* there may be many chunks; what is between is bounded */
    return HTTP_MORE;
}

static int take_line(struct http_reader *reader)
{
    bool empty = reader->line_length == 0;
    switch ((enum state)reader->state) {
    case STATUS_LINE:
        return take_status_line(reader);
    case HEADER:
        return empty ? take_head_end(reader) : take_header(reader);
    case CHUNK_SIZE:
        return take_chunk_size(reader);
    case CHUNK_END:
        reader->state = CHUNK_SIZE;
        return empty ? HTTP_MORE : -EPROTO;
    case TRAILER:
        return empty ? HTTP_WHOLE : HTTP_MORE;
    case BODY:
    case CHUNK_DATA:
        break;
    }
    return -EPROTO;    /* not reached: these two have no lines */
}

/* Adds one byte to the present line, and acts on the line when it ends. */
static int collect_line(struct http_reader *reader, char byte)
{
    size_t at = reader->line_length;
    if (++reader->head_bytes > HTTP_HEAD || byte == '\0')
        return -EPROTO;
    if (byte != '\n') {
        if (reader->state == STATUS_LINE && !fits_status_line(at, byte))
            return -EPROTO;
        if (at < LINE_MOST)
            reader->line[reader->line_length++] = byte;
        return HTTP_MORE;
    }
    if (at > 0 && at < LINE_MOST && reader->line[at - 1] == '\r')
        reader->line_length--;
    reader->line[reader->line_length] = '\0';
    int progress = take_line(reader);
    reader->line_length = 0;
    return progress;
}

/* Counts bytes of the body, as many as belong to it. Returns how many those were. */
static size_t take_body(struct http_reader *reader, size_t len)
{
    if (reader->body_left >= 0 && (int64_t)len > reader->body_left)
        len = (size_t)reader->body_left;
    reader->body_bytes += (int64_t)len;
    if (reader->body_left >= 0)
        reader->body_left -= (int64_t)len;
    return len;
}

int http_reader_feed(struct http_reader *reader, const char *bytes, size_t len)
{
    int progress = HTTP_MORE;
    while (len > 0 && progress == HTTP_MORE) {
        size_t taken = 1;
        if (reader->state < BODY) {
            progress = collect_line(reader, *bytes);
        } else {
            taken = take_body(reader, len);
            if (reader->body_left == 0 && reader->state == BODY)
                progress = HTTP_WHOLE;
            else if (reader->body_left == 0)
                reader->state = CHUNK_END;
        }
        bytes += taken;
        len -= taken;
    }
    return progress;
}

int http_reader_end(const struct http_reader *reader)
{
    if (reader->state == BODY && reader->body_left < 0)
        return HTTP_WHOLE;
    bool nothing_came = reader->state == STATUS_LINE && reader->head_bytes == 0;
    return nothing_came ? -ENODATA : -EBADMSG;
}
