/* libFuzzer: whatever the command line, options_parse takes values within their limits,
   or says in words why it does not. */
#include "kit/array.h"
#include "kit/options.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 64, DEFAULT = 55 };

struct values {
    bool                quick;
    const char         *output;
    struct option_texts tags;
    int64_t             count, stack, timeout;
};

#define AT(member) offsetof(struct values, member)
static const struct option_spec specs[] = {
    {'q', "quick", NULL, OPTION_FLAG, AT(quick), 0, 0, "a flag"},
    {'o', "output", "FILE", OPTION_TEXT, AT(output), 0, 0, "a text"},
    {'t', "tag", "TAG", OPTION_TEXTS, AT(tags), 0, 0, "texts"},
    {'n', "count", "COUNT", OPTION_COUNT, AT(count), 1, 10000, "a count"},
    {'s', "stack", "SIZE", OPTION_SIZE, AT(stack), 0, 1 << 20, "a size"},
    {0, "timeout", "T", OPTION_DURATION, AT(timeout), 1, INT64_MAX, "a T"},
};

static const struct option_program program = {"fuzz", "URL", "Is fuzzed.", specs,
                                              LENGTH(specs), 1, 3};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *promise)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", promise);
        abort();
    }
}

static bool is_argument(const char *text, char *const *arguments, int count)
{
    for (int i = 0; i < count; i++)
        if (text >= arguments[i] && text <= arguments[i] + strlen(arguments[i]))
            return true;
    return false;
}

static void check_values(const struct values *values, char *const *arguments, int count)
{
    int64_t number = values->count;
    require(number == DEFAULT || (number >= 1 && number <= 10000), "a count in range");
    number = values->stack;
    require(number == DEFAULT || (number >= 0 && number <= 1 << 20), "a size in range");
    require(values->timeout >= 1, "a duration in its range");
    require(!values->output || is_argument(values->output, arguments, count),
            "a text is an argument, or its end");
    number = values->tags.count;
    require(number >= 0 && number <= OPTIONS_REPEATS, "so many texts");
    for (int i = 0; i < values->tags.count; i++)
        require(is_argument(values->tags.items[i], arguments, count), "each an argument");
}

static void check_parse(int argc, char **argv)
{
    char *given[ARGUMENTS + 1];    /* argv may be reordered, but must lose nothing */
    memcpy(given, argv, sizeof given);
    struct values values = {.count = DEFAULT, .stack = DEFAULT, .timeout = DEFAULT};
    char *why = malloc(OPTIONS_WHY);
    require(why != NULL, "memory for a complaint");
    memset(why, '?', OPTIONS_WHY);
    int first = options_parse(&program, argc, argv, &values, why);
    check_values(&values, given, argc);
    if (first >= 0) {
        int operands = argc - first;
        require(operands >= program.operands_min && operands <= program.operands_max,
                "as many operands as are taken");
    } else if (first == -EINVAL) {
        size_t length = strnlen(why, OPTIONS_WHY);
        require(length > 0 && length < OPTIONS_WHY, "a complaint, with an end");
        require(strstr(why, ": ") != NULL, "the option, and what is wrong with it");
    } else {
        require(first == OPTIONS_HELP, "nothing else can be returned");
    }
    for (int i = 0; i < argc; i++) {
        int found = 0;
        for (int j = 0; j < argc; j++)
            found += given[i] == argv[j];
        require(found == 1, "each argument is still there, once");
    }
    free(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    require(text != NULL, "memory for a text");
    memcpy(text, data, size);
    text[size] = '\0';
    char *argv[ARGUMENTS + 1] = {"fuzz"};
    int argc = 1;
    for (size_t at = 0; at <= size && argc < ARGUMENTS; at += strlen(text + at) + 1) {
        text[at + strcspn(text + at, "\n")] = '\0';
        argv[argc++] = text + at;
    }
    check_parse(argc, argv);
    free(text);
    return 0;
}
