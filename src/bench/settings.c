#include "bench/settings.h"

#include "kit/array.h"
#include "kit/clock.h"

static const struct option_spec specs[] = {
    {'m', "models", "MODELS", OPTION_TEXT, offsetof(struct settings, models), 0, 0,
     "the models to measure, as in threads,libevent (default all)"},
    {0, "latency", "T", OPTION_DURATION, offsetof(struct settings, latency_ns), CLOCK_US,
     60LL * CLOCK_S, "what the server waits before it answers (default 100ms)"},
    {0, "trials", "N", OPTION_COUNT, offsetof(struct settings, trials), 1, 1000,
     "how often each is measured (default 5)"},
    {0, "seed", "N", OPTION_COUNT, offsetof(struct settings, seed), 0, INT64_MAX,
     "of the trials' random order and the server's delays (default 1)"},
    {0, "budget", "T", OPTION_DURATION, offsetof(struct settings, budget_ns), CLOCK_MS,
     86400LL * CLOCK_S, "what all may take together, in ideal times (default 6m)"},
    {0, "timeout", "T", OPTION_DURATION, offsetof(struct settings, timeout_ns), CLOCK_MS,
     3600LL * CLOCK_S, "the longest that one request may take (default 30s)"},
    {'o', "output", "DIR", OPTION_TEXT, offsetof(struct settings, directory), 0, 0,
     "write a CSV for each experiment to DIR (default plots/out)"},
    {0, "url", "URL", OPTION_TEXT, offsetof(struct settings, url), 0, 0,
     "use the latency-server that runs there (default: one of our own)"},
    {0, "external", "NAME=COMMAND", OPTION_TEXTS, offsetof(struct settings, externals), 0,
     0, "measure this program too; it takes -n -c --timeout -o URL as fetch does"},
    {0, "list", NULL, OPTION_FLAG, offsetof(struct settings, list), 0, 0,
     "list the experiments and exit"},
};

const struct option_program settings_program = {
    .name = "bench",
    .operands = "[EXPERIMENT...]",
    .about = "Runs experiments made of many runs, and writes what they found.",
    .specs = specs,
    .count = LENGTH(specs),
    .operands_max = 32,
};

int settings_or_exit(struct settings *settings, int argc, char **argv)
{
    *settings = (struct settings){
        .latency_ns = 100LL * CLOCK_MS,
        .trials = 5,
        .seed = 1,
        .budget_ns = 360LL * CLOCK_S,
        .timeout_ns = 30LL * CLOCK_S,
        .directory = "plots/out",
    };
    int first = options_or_exit(&settings_program, argc, argv, settings);
    settings->latency_ns -= settings->latency_ns % CLOCK_US;    /* as URLs tell it */
    return first;
}
