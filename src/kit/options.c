#include "kit/options.h"

#include "kit/units.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPECS_MOST = 24,
    FIRST_CODE = 256,    /* getopt_long's value for specs[i] is FIRST_CODE + i */
    HELP_CODE = FIRST_CODE + SPECS_MOST,
    GIVEN = 48    /* bytes that hold an option as it was written; a longer one is cut */
};

struct kind_form {
    int (*parse)(const char *text, int64_t *value);
    const char *form;
};

static const struct kind_form forms[] = {
    [OPTION_COUNT] = {units_parse_count, "a whole number such as 100 or 10k"},
    [OPTION_SIZE] = {units_parse_size, "a size such as 65536 or 64K"},
    [OPTION_DURATION] = {units_parse_duration, "a duration such as 50ms, 2s or 0.05"},
};

static void format_limit(char text[UNITS_TEXT], enum option_kind kind, int64_t value)
{
    if (kind == OPTION_DURATION)
        units_format_duration(text, value);
    else
        snprintf(text, UNITS_TEXT, "%" PRId64, value);
}

/* Reads a number of any kind into *value. Returns 0, or -EINVAL with why set. */
static int take_number(const struct option_spec *spec, const char *text, int64_t *value,
                       const char *given, char why[OPTIONS_WHY])
{
    const struct kind_form *form = &forms[spec->kind];
    int64_t number = 0;
    int error = form->parse(text, &number);
    if (error == -EINVAL) {
        snprintf(why, OPTIONS_WHY, "%s: '%.40s' is not %s", given, text, form->form);
        return -EINVAL;
    }
    if (error || number < spec->min || number > spec->max) {
        char min[UNITS_TEXT], max[UNITS_TEXT];
        format_limit(min, spec->kind, spec->min);
        format_limit(max, spec->kind, spec->max);
        snprintf(why, OPTIONS_WHY, "%s: %.40s is out of range; it goes from %s to %s",
                 given, text, min, max);
        return -EINVAL;
    }
    *value = number;
    return 0;
}

static int take_value(const struct option_spec *spec, const char *text, void *values,
                      const char *given, char why[OPTIONS_WHY])
{
    void *member = (char *)values + spec->offset;
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)member = text;
        return 0;
    case OPTION_TEXTS: {
        struct option_texts *texts = member;
        if (texts->count == OPTIONS_REPEATS) {
            snprintf(why, OPTIONS_WHY, "%s: given more than %d times", given,
                     OPTIONS_REPEATS);
            return -EINVAL;
        }
        texts->items[texts->count++] = text;
        return 0;
    }
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return take_number(spec, text, member, given, why);
    }
    return -EINVAL;
}

/* Writes getopt's two descriptions of the table: ":hn:c:" and the array of long names. */
static void describe(const struct option_program *program, char *letters,
                     struct option *names)
{
    *letters++ = ':';    /* getopt prints nothing, and tells a missing argument apart */
    *letters++ = 'h';
    for (size_t i = 0; i < program->count; i++) {
        const struct option_spec *spec = &program->specs[i];
        if (spec->letter) {
            *letters++ = spec->letter;
            if (spec->argument)
                *letters++ = ':';
        }
        names[i] = (struct option){.name = spec->name,
                                   .has_arg = spec->argument ? required_argument : 0,
                                   .val = FIRST_CODE + (int)i};
    }
    names[program->count] = (struct option){.name = "help", .val = HELP_CODE};
    *letters = '\0';
}

static const struct option_spec *find_spec(const struct option_program *program, int code)
{
    if (code >= FIRST_CODE)
        return &program->specs[code - FIRST_CODE];
    for (size_t i = 0; i < program->count; i++)
        if (program->specs[i].letter == code)
            return &program->specs[i];
    return NULL;
}

/* Whether name is short for some option: for several then, or getopt had taken it. */
static bool is_abbreviation(const struct option *names, const char *name)
{
    for (; names->name; names++)
        if (strncmp(names->name, name, strlen(name)) == 0)
            return true;
    return false;
}

/* Says in `why` what getopt refused, as it was written: "-x", or "--colour". */
static int refuse(const struct option *names, int code, char **argv,
                  char why[OPTIONS_WHY])
{
    bool is_letter = optopt != 0 && optopt < FIRST_CODE;
    char given[GIVEN];
    if (is_letter) {    /* maybe one of a cluster */
        snprintf(given, sizeof given, "-%c", optopt);
    } else {            /* a word, which getopt has gone past */
        snprintf(given, sizeof given, "%s", argv[optind - 1]);
        given[strcspn(given, "=")] = '\0';
    }

    const char *wrong = "no such option";
    if (code == ':')
        wrong = "needs an argument";
    else if (optopt >= FIRST_CODE)
        wrong = "takes no argument";
    else if (!is_letter && is_abbreviation(names, given + strlen("--")))
        wrong = "may stand for more than one option";
    snprintf(why, OPTIONS_WHY, "%s: %s; --help lists the options", given, wrong);
    return -EINVAL;
}

/* Takes what getopt found. */
static int take_option(const struct option_program *program, int code, void *values,
                       char why[OPTIONS_WHY])
{
    const struct option_spec *spec = find_spec(program, code);
    char given[GIVEN];
    if (code < FIRST_CODE)
        snprintf(given, sizeof given, "-%c", spec->letter);
    else
        snprintf(given, sizeof given, "--%s", spec->name);
    return take_value(spec, optarg, values, given, why);
}

static int check_operands(const struct option_program *program, int argc, char **argv,
                          char why[OPTIONS_WHY])
{
    int operands = argc - optind;
    if (operands > program->operands_max) {
        snprintf(why, OPTIONS_WHY,
                 "'%.60s': one argument too many; --help shows what is taken",
                 argv[optind + program->operands_max]);
        return -EINVAL;
    }
    if (operands < program->operands_min) {
        snprintf(why, OPTIONS_WHY, "%s: missing; --help shows what is taken",
                 program->operands);
        return -EINVAL;
    }
    return optind;
}

int options_parse(const struct option_program *program, int argc, char **argv,
                  void *values, char why[OPTIONS_WHY])
{
    assert(program->count <= SPECS_MOST);
    char letters[2 * SPECS_MOST + 3];
    struct option names[SPECS_MOST + 2] = {{0}};
    describe(program, letters, names);
    optind = 0;    /* glibc: start anew */
    int code;
    while ((code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        if (code == 'h' || code == HELP_CODE)
            return OPTIONS_HELP;
        if (code == '?' || code == ':')
            return refuse(names, code, argv, why);
        int error = take_option(program, code, values, why);
        if (error)
            return error;
    }
    return check_operands(program, argc, argv, why);
}

void options_print_help(const struct option_program *program, FILE *out)
{
    fprintf(out, "usage: %s [OPTION...]%s%s\n%s\n\n", program->name,
            *program->operands ? " " : "", program->operands,
            program->about);
    for (size_t i = 0; i < program->count; i++) {
        const struct option_spec *spec = &program->specs[i];
        char left[48];
        int used = spec->letter ? snprintf(left, sizeof left, "-%c, ", spec->letter)
                                : snprintf(left, sizeof left, "    ");
        snprintf(left + used, sizeof left - (size_t)used, "--%s%s%s", spec->name,
                 spec->argument ? " " : "", spec->argument ? spec->argument : "");
        fprintf(out, "  %-26s %s\n", left, spec->help);
    }
    fprintf(out, "  %-26s %s\n", "-h, --help", "print this and exit");
}

int options_or_exit(const struct option_program *program, int argc, char **argv,
                    void *values)
{
    char why[OPTIONS_WHY];
    int first = options_parse(program, argc, argv, values, why);
    if (first >= 0)
        return first;
    if (first == OPTIONS_HELP) {
        options_print_help(program, stdout);
        exit(options_exit_status(program, 0));
    }
    fprintf(stderr, "%s: %s\n", program->name, why);
    exit(2);
}

int options_exit_status(const struct option_program *program, int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "%s: standard output: %s\n", program->name,
            errno ? strerror(errno) : "could not be written");
    return 1;
}
