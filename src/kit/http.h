/* As much HTTP/1.1 (RFC 9110, RFC 9112) as a client needs that asks for one thing on each
   connection: URLs, the request, and a reader of replies that takes them
   in any pieces. */
#ifndef KIT_HTTP_H
#define KIT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_HOST = 254,        /* bytes of a host's name with its end */
    HTTP_TARGET = 512,      /* bytes of a target with its end */
    HTTP_REQUEST = 1024,    /* bytes that hold any request written here */
    HTTP_LINE = 64,         /* bytes kept of a line of a reply's head, with its end */
    HTTP_HEAD = 65536       /* a longer head is refused, and so is a longer trailer */
};

/* "http://HOST:PORT/TARGET", taken apart. */
struct http_url {
    char host[HTTP_HOST];        /* an IPv6 address without its brackets */
    int  port;
    char target[HTTP_TARGET];    /* from the slash on, "/" at the least */
};

/* Returns NULL, or what is wrong with text, in words. */
const char *http_parse_url(const char *text, struct http_url *url);

/* Writes a GET for target to buf, where each "{i}" of target becomes number; host goes
   into the Host header. It asks the server to close the connection after its reply.
   Returns the length, or -ENOBUFS. */
int http_write_request(char *buf, size_t size, const char *host, const char *target,
                       int number);

/* Reads one reply. Set up by http_reader_init, owns nothing, may be copied. */
struct http_reader {
    int64_t  body_bytes;        /* received so far, without the framing of chunks */
    int64_t  body_left;         /* of the body or chunk; -1: until the connection's end */
    int64_t  server_wait_ns;    /* Server-Timing's wait;dur=, 0 if it says none */
    int      status;            /* 0 until the status line has been read */
    int      head_bytes;        /* of the head, or since the last chunk */
    uint8_t  state;             /* enum state in http.c */
    uint8_t  line_length;
    bool     has_length, chunked;
    char     line[HTTP_LINE];   /* the start of the present line */
};

enum http_progress {
    HTTP_WHOLE = 0,    /* the reply has ended */
    HTTP_MORE = 1      /* it goes on */
};

void http_reader_init(struct http_reader *reader);

/* Takes the next len bytes. Returns HTTP_MORE, HTTP_WHOLE (bytes after the
   reply's end are ignored), or -EPROTO: this is not HTTP. Not to be called again
   but after HTTP_MORE. */
int http_reader_feed(struct http_reader *reader, const char *bytes, size_t len);

/* The connection has ended after HTTP_MORE. Returns HTTP_WHOLE (the reply is one
   that ends with its connection), -ENODATA (not one byte came) or -EBADMSG (it
   was cut short). */
int http_reader_end(const struct http_reader *reader);

#endif
