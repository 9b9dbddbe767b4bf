/* libFuzzer: however a reply is cut into pieces, the reader says the same of it; and any
   URL that is taken apart makes a request that fits. */
#include "kit/http.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *promise)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", promise);
        abort();
    }
}

/* Feeds bytes in pieces whose lengths lengths[] gives in turn (0 counts as 256), each in
   memory of its own. Returns what the reader says when its connection has ended too. */
static int read_reply(struct http_reader *reader, const char *bytes, size_t size,
                      const uint8_t *lengths, size_t count)
{
    http_reader_init(reader);
    int progress = HTTP_MORE;
    for (size_t i = 0; size > 0 && progress == HTTP_MORE; i++) {
        size_t length = count > 0 ? lengths[i % count] : size;
        if (length == 0)
            length = 256;
        if (length > size)
            length = size;
        char *piece = malloc(length);
        require(piece != NULL, "memory for a piece");
        memcpy(piece, bytes, length);
        progress = http_reader_feed(reader, piece, length);
        free(piece);
        bytes += length;
        size -= length;
    }
    return progress == HTTP_MORE ? http_reader_end(reader) : progress;
}

static void check_reader(const char *bytes, size_t size, const uint8_t *lengths,
                         size_t count)
{
    struct http_reader whole, cut;
    int progress = read_reply(&whole, bytes, size, NULL, 0);
    require(progress == HTTP_WHOLE || progress == -EPROTO || progress == -EBADMSG ||
            progress == -ENODATA, "whole, no HTTP, cut short or not there");
    require((progress == -ENODATA) == (size == 0), "no data is when nothing came");
    require((uint64_t)whole.body_bytes <= size, "no more body than came");
    require(whole.server_wait_ns >= 0, "nobody waits for less than nothing");
    if (progress == HTTP_WHOLE)
        require(whole.status >= 200 && whole.status <= 599, "a whole reply has a status");
    require(read_reply(&cut, bytes, size, lengths, count) == progress, "same progress");
    require(cut.status == whole.status, "same status");
    require(cut.body_bytes == whole.body_bytes, "same length of body");
    require(cut.body_left == whole.body_left, "same rest of body");
    require(cut.server_wait_ns == whole.server_wait_ns, "same wait");
}

static void check_url(const char *text)
{
    struct http_url url;
    if (http_parse_url(text, &url) != NULL)
        return;
    require(url.port >= 1 && url.port <= 65535, "a port is a port");
    require(url.host[0] != '\0' && url.target[0] == '/', "a host and a target");
    char host[HTTP_HOST + 8];
    snprintf(host, sizeof host, "[%s]:%d", url.host, url.port);
    char request[HTTP_REQUEST + 1];
    int length = http_write_request(request, HTTP_REQUEST, host, url.target, INT_MIN);
    require(length > 0 && length <= HTTP_REQUEST, "the request fits");
    request[length] = '\0';
    require(strlen(request) == (size_t)length, "no NUL in a request");
    int lines = 0;
    for (const char *c = request; (c = strstr(c, "\r\n")) != NULL; c += 2)
        lines++;
    require(lines == 4 && strcspn(request, "\r") == strcspn(request, "\n") - 1,
            "a request has its own lines, and none from the URL");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    require(text != NULL, "memory for a text");
    memcpy(text, data, size);
    text[size] = '\0';
    check_url(text);
    free(text);

    /* The first four bytes are the lengths of the pieces. */
    size_t count = size < 4 ? size : 4;
    check_reader((const char *)data + count, size - count, data, count);
    return 0;
}
