#include "kit/http.h"

#include "kit/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *http_parse_url(const char *text, struct http_url *url)
{
    static const char scheme[] = "http://";
    if (strncasecmp(text, scheme, strlen(scheme)) != 0)
        return "a URL starts with http://, as in http://127.0.0.1:8080/delay/50ms";
    const char *host = text + strlen(scheme);
    const char *after = host + strcspn(host, ":/?#");
    if (*host == '[') {    /* an IPv6 address has colons of its own: RFC 3986, 3.2.2 */
        host++;
        after = host + strcspn(host, "]/");
        if (*after != ']')
            return "an IPv6 address ends with ], as in http://[::1]:8080/";
    }
    size_t length = (size_t)(after - host);
    if (length == 0 || length >= sizeof url->host)
        return "the URL names no host, as in http://127.0.0.1:8080/";
    memcpy(url->host, host, length);
    url->host[length] = '\0';

    if (*after == ']')
        after++;
    if (*after != ':')
        return "the URL names no port, as in http://127.0.0.1:8080/";
    size_t digits = strspn(after + 1, "0123456789");
    long port = digits > 0 && digits < 6 ? strtol(after + 1, NULL, 10) : 0;
    const char *target = after + 1 + digits;
    if (port < 1 || port > 65535 || (*target && !strchr("/?", *target)))
        return "the URL's port is not a number from 1 to 65535";
    url->port = (int)port;

    /* A space or a control character would end the request line early. */
    for (const char *c = target; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '#')
            return "the URL has a space, a control character or a #";
    const char *slash = *target == '/' ? "" : "/";
    int written = snprintf(url->target, sizeof url->target, "%s%s", slash, target);
    if (written >= (int)sizeof url->target)
        return "the URL's path is longer than 511 bytes";
    return NULL;
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
    static const char placeholder[] = "{i}";
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

void http_reader_init(struct http_reader *reader)
{
    *reader = (struct http_reader){.state = STATUS_LINE};
}

static int take_status_line(struct http_reader *reader)
{
    /* "HTTP/1.1 200 OK"; collect_line has seen to the first seven bytes. */
    const char *line = reader->line;
    if (reader->line_length < 12 || !strchr("0123456789", line[7]) || line[8] != ' ')
        return -EPROTO;
    if (strspn(line + 9, "0123456789") != 3 || (line[12] != ' ' && line[12] != '\0'))
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
    if (!found)
        return;
    char number[UNITS_TEXT];
    snprintf(number, sizeof number, "%.*s", (int)strspn(found + strlen(key), "0123456789."),
             found + strlen(key));
    int64_t thousandfold;
    if (units_parse_duration(number, &thousandfold) == 0)    /* read as seconds */
        reader->server_wait_ns = thousandfold / 1000;
}

static int take_header(struct http_reader *reader)
{
    char *line = reader->line;
    if (*line == ' ' || *line == '\t')
        return HTTP_MORE;    /* an old-style continuation; none of ours is ever so long */
    size_t name_length = strcspn(line, ": \t");
    if (name_length == 0)
        return -EPROTO;
    if (line[name_length] != ':')    /* no colon, or beyond what is kept of the line */
        return name_length == HTTP_LINE - 1 ? HTTP_MORE : -EPROTO;
    line[name_length] = '\0';
    char *value = line + name_length + 1;
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && strchr(" \t", value[length - 1]))
        length--;
    value[length] = '\0';

    if (strcasecmp(line, "Content-Length") == 0)
        return take_content_length(reader, value);
    if (strcasecmp(line, "Server-Timing") == 0)
        take_server_timing(reader, value);
    if (strcasecmp(line, "Transfer-Encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0)
            return -EPROTO;    /* no other was asked for: RFC 9112, 7.4 */
        reader->chunked = true;
    }
    return HTTP_MORE;
}

/* The empty line: how the body's end will be known is decided here (RFC 9112, 6.3). */
static int take_head_end(struct http_reader *reader)
{
    if (reader->status < 200) {    /* an interim reply; the real one follows */
        http_reader_init(reader);
        return HTTP_MORE;
    }
    if (reader->status == 204 || reader->status == 304)
        return HTTP_WHOLE;
    if (reader->chunked) {
        reader->state = CHUNK_SIZE;
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
    static const char version[] = "HTTP/1.";
    if (++reader->head_bytes > HTTP_HEAD || byte == '\0')
        return -EPROTO;
    if (byte != '\n') {
        size_t at = reader->line_length;
        if (reader->state == STATUS_LINE && at < strlen(version) && byte != version[at])
            return -EPROTO;    /* at once: garbage may never send a line's end */
        if (at < HTTP_LINE - 1)
            reader->line[reader->line_length++] = byte;
        return HTTP_MORE;
    }
    if (reader->line_length > 0 && reader->line[reader->line_length - 1] == '\r')
        reader->line_length--;
    reader->line[reader->line_length] = '\0';
    int progress = take_line(reader);
    reader->line_length = 0;
    if (reader->state > HEADER)
        reader->head_bytes = 0;    /* then the bound is for one line of the framing */
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
