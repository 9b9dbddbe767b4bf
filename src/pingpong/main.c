/* pingpong: what one switch costs. Two players wait for each other by turns, in one of
   the ways there are, on one core or across two. */
#include "pingpong/cores.h"
#include "pingpong/game.h"

#include "kit/array.h"
#include "kit/csv.h"
#include "kit/options.h"
#include "kit/units.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

enum { CANNOT_RUN = 1, USAGE = 2, AMISS = 3 };    /* exit statuses beside 0 */

enum { AIM_MS = 150 };    /* how long a game is, unless its switches are counted out */

static const char csv_header[] = "who,how,by,cores,switches,wall_ns,switch_ps";

struct options {
    int64_t     switches;    /* 0: about as many as take AIM_MS */
    int64_t     cores;
    const char *output;
    bool        list;
};

static const struct option_spec specs[] = {
    {'n', "switches", "COUNT", OPTION_COUNT, offsetof(struct options, switches), 1,
     1000000000, "how many, rounded up to even (default: 0.15 s of them)"},
    {'c', "cores", "1|2", OPTION_COUNT, offsetof(struct options, cores), 1, 2,
     "both players on one core, or one on each of two (default 1)"},
    {'o', "output", "FILE", OPTION_TEXT, offsetof(struct options, output), 0, 0,
     "write what was measured as CSV, one row, to FILE"},
    {0, "list", NULL, OPTION_FLAG, offsetof(struct options, list), 0, 0,
     "list the ways and exit"},
};

static const struct option_program program = {
    .name = "pingpong",
    .operands = "WAY",
    .about = "Measures what one switch costs: half a round between two that wait for "
             "each other in this WAY.",
    .specs = specs,
    .count = LENGTH(specs),
    .operands_max = 1,
};

static const struct way *const ways[] = {
    &system_call, &coroutine_switch, &coroutine_yield, &coroutine_pipe,
    &thread_futex, &thread_condition, &thread_pipe, &process_pipe,
};

static int refuse(int status, const char *what, const char *why)
{
    fprintf(stderr, "pingpong: %s: %s\n", what, why);
    return status;
}

static int list_ways(void)
{
    for (size_t i = 0; i < LENGTH(ways); i++)
        printf("%-18s by %s%s\n", ways[i]->name, ways[i]->by,
               ways[i]->stays ? ", within one thread, so on one core" : "");
    return options_exit_status(&program, 0);
}

/* Finds the way, or returns NULL after saying which there are. */
static const struct way *choose_way(const char *name)
{
    for (size_t i = 0; name && i < LENGTH(ways); i++)
        if (strcmp(ways[i]->name, name) == 0)
            return ways[i];
    if (name)
        fprintf(stderr, "pingpong: there is no way '%.60s'; there are", name);
    else
        fputs("pingpong: WAY: missing; there are", stderr);
    for (size_t i = 0; i < LENGTH(ways); i++)
        fprintf(stderr, " %s", ways[i]->name);
    fputc('\n', stderr);
    return NULL;
}

/* Puts the players where they are to be. Returns 0 or an exit status, said. */
static int prepare(const struct options *options, const struct way *way,
                   struct game *game)
{
    if (options->cores == 2 && way->stays)
        return refuse(USAGE, "-c", "this way stays within one thread, so on one core");
    int error = cores_choose(game->cpus, (int)options->cores);
    if (error == -ENODEV)
        return refuse(CANNOT_RUN, "-c", "there is only one core that may be used here");
    if (options->cores == 1)
        game->cpus[1] = game->cpus[0];
    if (!error)
        error = cores_bind(game->cpus[0]);
    if (error)
        return refuse(CANNOT_RUN, "-c", strerror(-error));
    error = options->output ? csv_writable(options->output) : 0;
    return error ? refuse(CANNOT_RUN, options->output, strerror(-error)) : 0;
}

/* Plays once. Returns 0 or -errno. */
static int play(const struct way *way, struct game *game, int64_t switches)
{
    *game = (struct game){.rounds = (switches + 1) / 2,
                          .cpus = {game->cpus[0], game->cpus[1]}};
    return way->play(game);
}

/* Plays until a game was long enough, each as long as the one before makes one think that
   AIM_MS are; that last one counts, and the others have warmed up the caches. Never more
   than ten times as long: a neighbour that disturbs a short game makes it look slow. */
static int play_long(const struct way *way, struct game *game)
{
    const int64_t aim_ns = (int64_t)AIM_MS * CLOCK_MS;
    for (int64_t switches = 2;;) {
        int error = play(way, game, switches);
        int64_t took_ns = game->end_ns - game->start_ns;
        if (error || took_ns >= aim_ns / 2 || !game_is_fair(game))
            return error;
        switches = took_ns > aim_ns / 10 ? switches * aim_ns / took_ns : switches * 10;
    }
}

/* Plays so many switches, after a tenth that does not count. */
static int play_counted(const struct way *way, struct game *game, int64_t switches)
{
    int error = play(way, game, switches / 10 + 1);
    return error ? error : play(way, game, switches);
}

static void print(const struct way *way, const struct game *game)
{
    char wall[UNITS_TEXT];
    int64_t switches = 2 * game->rounds, wall_ns = game->end_ns - game->start_ns;
    double switch_ns = (double)wall_ns / (double)switches;
    units_format_duration(wall, wall_ns);
    printf("%s, by %s, on core %d", way->name, way->by, game->cpus[0]);
    if (game->cpus[1] != game->cpus[0])
        printf(" and core %d", game->cpus[1]);
    bool small = switch_ns < CLOCK_US;
    printf(": %" PRId64 " switches in %s, %.3g %s each\n", switches, wall,
           small ? switch_ns : switch_ns / CLOCK_US, small ? "ns" : "us");
}

static int write_row(const char *path, const struct way *way, const struct game *game)
{
    int64_t switches = 2 * game->rounds, wall_ns = game->end_ns - game->start_ns;
    FILE *csv = csv_create(path, csv_header);
    if (!csv)
        return refuse(CANNOT_RUN, path, strerror(errno));
    fprintf(csv, "%s,%s,%s,%d,%" PRId64 ",%" PRId64 ",%" PRId64 "\n", way->who, way->how,
            way->by, game->cpus[0] == game->cpus[1] ? 1 : 2, switches, wall_ns,
            wall_ns * 1000 / switches);
    int error = csv_finish(csv, path);
    return error ? refuse(CANNOT_RUN, path, strerror(-error)) : 0;
}

int main(int argc, char **argv)
{
    struct options options = {.cores = 1};
    int first = options_or_exit(&program, argc, argv, &options);
    if (options.list)
        return list_ways();
    const struct way *way = choose_way(first < argc ? argv[first] : NULL);
    if (!way)
        return USAGE;
    signal(SIGPIPE, SIG_IGN);    /* a player that left is an error code to us */
    signal(SIGCHLD, SIG_DFL);    /* where ignored, nobody learns how a child ended */
    struct game *game = mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (game == MAP_FAILED)
        return refuse(CANNOT_RUN, way->name, strerror(errno));
    int status = prepare(&options, way, game);
    if (status)
        return status;

    int error = options.switches ? play_counted(way, game, options.switches)
                                 : play_long(way, game);
    if (error)
        return refuse(CANNOT_RUN, way->name, strerror(-error));

    print(way, game);
    if (options.output)
        status = write_row(options.output, way, game);
    if (!status && !game_is_fair(game))
        status = refuse(AMISS, way->name, "a player had the ball out of turn");
    munmap(game, sizeof *game);
    return options_exit_status(&program, status);
}
