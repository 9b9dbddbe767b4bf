/* Command lines. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/options.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void add_options(Suite *suite)
{
    TCase *options = suite_add(suite, "options");
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
    Suite *suite = suite_create("kit: options");
    add_options(suite);
    return suite_end(suite);
}
