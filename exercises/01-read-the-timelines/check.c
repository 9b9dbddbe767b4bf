/* The check of "read the timelines": the list of README.md, point by point. The timelines
   are drawn again from the seed, and what is said of them is held against their rows. */
#include "tests/judge.h"

#include "kit/array.h"
#include "kit/csv.h"

#include <stdlib.h>
#include <string.h>

#define OWN "exercises/01-read-the-timelines/read_the_timelines.txt"
#define SIMULATE "exercises/01-read-the-timelines/timelines.sh %ld csv"

enum { TIMELINES = 5, REQUESTS = 16, LINES = 200, WORD = 64, SEED_MOST = 999999999 };

/* Times in ms since the run's start. A reply is ready before it is read, at the end. */
struct request {
    int start, ready, end;
};

struct timeline {
    char           letter;
    int            count;
    struct request requests[REQUESTS];
};

/* The words of a line, "" where there are no more; what stands after # is gone. */
struct line {
    char name[WORD], value[WORD], rest[WORD], more[WORD];
};

struct text {
    int         count;
    struct line lines[LINES];
};

struct scene {
    struct judge    judge;
    struct text     text;         /* what the student has written */
    struct timeline timelines[TIMELINES];
};

static const char *const predictions[] = {
    "one", "three_blocking", "three_threads", "three_libevent",
    "thousand_threads", "thousand_libevent", "cpu_blocking", "others_blocking",
};

/* --- Texts ----------------------------------------------------------------------- */

/* Returns false if the file is not there. Long words and too many lines are cut. */
static bool read_text(const char *path, struct text *text)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char row[512];
    while (text->count < LINES && fgets(row, sizeof row, file)) {
        row[strcspn(row, "#")] = '\0';
        struct line *line = &text->lines[text->count];
        *line = (struct line){0};
        if (sscanf(row, "%63s %63s %63s %63s", line->name, line->value, line->rest,
                   line->more) > 0)
            text->count++;
    }
    fclose(file);
    return true;
}

/* The one line of that name. Rejects a text where there is none, or two, or no value. */
static const struct line *find(struct scene *scene, const char *name)
{
    const struct line *found = NULL;
    for (int i = 0; i < scene->text.count; i++) {
        const struct line *line = &scene->text.lines[i];
        if (strcmp(line->name, name) != 0)
            continue;
        if (found)
            judge_reject(&scene->judge, "%s stands there twice", name);
        found = line;
    }
    if (!found)
        judge_reject(&scene->judge, "no line begins with the word %s", name);
    if (!found->value[0])
        judge_reject(&scene->judge, "there is nothing behind %s", name);
    return found;
}

/* The number under that name, which is all that stands there, but for the unit. */
static long find_number(struct scene *scene, const char *name, const char *unit)
{
    const struct line *line = find(scene, name);
    char *end;
    long number = strtol(line->value, &end, 10);
    if (number < 0 || number > SEED_MOST || end == line->value ||
        (*end != '\0' && strcmp(end, unit) != 0) ||
        (line->rest[0] && strcmp(line->rest, unit) != 0) || line->more[0])
        judge_reject(&scene->judge, "%s: '%s%s%s' is not a number%s%s", name, line->value,
                     line->rest[0] ? " " : "", line->rest, *unit ? " of " : "", unit);
    return number;
}

/* --- Timelines ------------------------------------------------------------------- */

static void add_row(struct scene *scene, char *row)
{
    enum { MODEL = 0, START = 3, END = 7, WAIT = 8, FIELDS = 12 };
    char *fields[FIELDS];
    ck_assert_int_eq(csv_split(row, fields, FIELDS), FIELDS);
    int index = fields[MODEL][0] - 'A';
    ck_assert(index >= 0 && index < TIMELINES);
    struct timeline *timeline = &scene->timelines[index];
    timeline->letter = fields[MODEL][0];
    ck_assert_int_lt(timeline->count, REQUESTS);
    struct request *request = &timeline->requests[timeline->count++];
    request->start = (int)(atoll(fields[START]) / CLOCK_MS);
    request->ready = request->start + (int)(atoll(fields[WAIT]) / CLOCK_MS);
    request->end = (int)(atoll(fields[END]) / CLOCK_MS);
}

static void simulate(struct scene *scene, long seed)
{
    char text[512];
    snprintf(text, sizeof text, SIMULATE, seed);
    FILE *rows = popen(text, "re");
    ck_assert_ptr_nonnull(rows);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, rows));    /* the header */
    while (fgets(text, sizeof text, rows))
        add_row(scene, text);
    ck_assert_int_eq(pclose(rows), 0);
    for (int i = 0; i < TIMELINES; i++)
        ck_assert_int_gt(scene->timelines[i].count, 0);
}

static int in_flight(const struct timeline *timeline, int at)
{
    int count = 0;
    for (int i = 0; i < timeline->count; i++)
        count += timeline->requests[i].start <= at && at < timeline->requests[i].end;
    return count;
}

/* It is reached at some request's start. */
static int peak(const struct timeline *timeline)
{
    int most = 0;
    for (int i = 0; i < timeline->count; i++) {
        int here = in_flight(timeline, timeline->requests[i].start);
        most = here > most ? here : most;
    }
    return most;
}

/* How many replies lay there for a while before they were read. */
static int unread(const struct timeline *timeline)
{
    int count = 0;
    for (int i = 0; i < timeline->count; i++)
        count += timeline->requests[i].end > timeline->requests[i].ready;
    return count;
}

static int last_start(const struct timeline *timeline)
{
    int last = 0;
    for (int i = 0; i < timeline->count; i++)
        last = timeline->requests[i].start > last ? timeline->requests[i].start : last;
    return last;
}

/* When the last has ended, of those that end before `before`. */
static int last_end(const struct timeline *timeline, int before)
{
    int last = 0;
    for (int i = 0; i < timeline->count; i++) {
        int end = timeline->requests[i].end;
        last = end > last && end < before ? end : last;
    }
    return last;
}

static bool end_together(const struct timeline *timeline)
{
    for (int i = 1; i < timeline->count; i++)
        if (timeline->requests[i].end != timeline->requests[0].end)
            return false;
    return true;
}

enum kind { STAIRCASE, WALL, POOL, POISONED, STRAGGLER };

static const char *const kinds[] = {"staircase", "wall", "pool", "poisoned", "straggler"};

static enum kind kind_of(const struct timeline *timeline)
{
    if (peak(timeline) == 1)
        return STAIRCASE;
    if (last_start(timeline) > 0)
        return POOL;
    if (unread(timeline) > 0)
        return POISONED;
    return end_together(timeline) ? WALL : STRAGGLER;
}

static const struct timeline *timeline_of(const struct scene *scene, enum kind kind)
{
    for (int i = 0; i < TIMELINES; i++)
        if (kind_of(&scene->timelines[i]) == kind)
            return &scene->timelines[i];
    ck_abort_msg("no timeline is a %s", kinds[kind]);
}

/* The scene, with the timelines of the student's own seed. */
static void begin(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    scene->judge.look = "the line of your file that begins with seed, as in: seed 4711";
    ck_assert(read_text(judge_folder(), &scene->text));
    long seed = find_number(scene, "seed", "");
    if (seed == 0)
        judge_reject(&scene->judge, "the seed is 0; it is to be a number from 1 up");
    simulate(scene, seed);
}

/* --- What disproves that it is a timeline of that kind --------------------------- */

static void reject_staircase(struct judge *judge, const struct timeline *timeline)
{
    judge_reject(judge, "%c is no staircase: at 0 ms more than one of its requests are "
                 "in flight", timeline->letter);
}

static void reject_wall(struct judge *judge, const struct timeline *timeline)
{
    if (last_start(timeline) > 0)
        judge_reject(judge, "%c is no wall: its last request starts only at %d ms",
                     timeline->letter, last_start(timeline));
    judge_reject(judge, "%c is no wall: its requests do not all end at once",
                 timeline->letter);
}

static void reject_pool(struct judge *judge, const struct timeline *timeline)
{
    if (peak(timeline) == 1)
        judge_reject(judge, "%c is no pool: no two of its requests are ever in flight",
                     timeline->letter);
    judge_reject(judge, "%c is no pool: none of its requests waits for its turn",
                 timeline->letter);
}

static void reject_poisoned(struct judge *judge, const struct timeline *timeline)
{
    judge_reject(judge, "%c is not poisoned: no reply in it lies unread",
                 timeline->letter);
}

static void reject_straggler(struct judge *judge, const struct timeline *timeline)
{
    if (last_start(timeline) > 0)
        judge_reject(judge, "%c has no straggler: its last request starts only at %d ms",
                     timeline->letter, last_start(timeline));
    if (unread(timeline) > 0)
        judge_reject(judge, "%c has no straggler: the server has answered, nobody reads",
                     timeline->letter);
    judge_reject(judge, "%c has no straggler: all its requests end at once",
                 timeline->letter);
}

static void check_kind(struct scene *scene, const struct timeline *timeline)
{
    static void (*const reject[])(struct judge *, const struct timeline *) = {
        reject_staircase, reject_wall, reject_pool, reject_poisoned, reject_straggler,
    };
    const struct line *line = find(scene, (const char[]){timeline->letter, '\0'});
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (strcmp(line->value, kinds[i]) != 0 || line->rest[0])
            continue;
        if (kind_of(timeline) != (enum kind)i)
            reject[i](&scene->judge, timeline);
        return;
    }
    judge_reject(&scene->judge, "%c: '%s%s%s' is none of the five words",
                 timeline->letter, line->value, line->rest[0] ? " " : "", line->rest);
}

/* --- The cases ------------------------------------------------------------------- */

START_TEST(the_seed_is_a_number)
{
    struct scene scene;
    begin(&scene);
}
END_TEST

/* The last prediction under that key from before the run; NULL if there is none. */
static const struct line *prediction(const struct text *text, const char *key)
{
    char name[WORD];
    const struct line *found = NULL;
    snprintf(name, sizeof name, "01/%s", key);
    for (int i = 0; i < text->count; i++) {
        const struct line *line = &text->lines[i];
        if (strcmp(line->value, name) != 0)
            continue;
        if (strcmp(line->name, "measured") == 0)
            break;
        if (strcmp(line->name, "predicted") == 0)
            found = line;
    }
    return found;
}

static bool is_number(const char *text)
{
    char *end;
    return strtod(text, &end) >= 0 && end != text && *end == '\0';
}

START_TEST(eight_predictions_are_there)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "README.md, 1: make 01-predict asks, and a command copies";
    for (size_t i = 0; i < LENGTH(predictions); i++) {
        const struct line *line = prediction(&scene.text, predictions[i]);
        if (!line || !line->rest[0])
            judge_reject(&scene.judge, "there is no prediction 01/%s", predictions[i]);
        if (!is_number(line->rest))
            judge_reject(&scene.judge, "the prediction 01/%s, '%s', is not a number",
                         predictions[i], line->rest);
    }
}
END_TEST

/* What make 01-predict has stored: in the student's own state, or, for an answer that
   comes with the course, beside it. */
static bool read_stored(struct text *stored)
{
    char path[512];
    const char *state = getenv("COURSE_STATE");
    if (strcmp(judge_folder(), OWN) == 0)
        return read_text(state ? state : ".course", stored);
    int length = (int)(strlen(judge_folder()) - strlen(".txt"));
    snprintf(path, sizeof path, "%.*s.course", length, judge_folder());
    return read_text(path, stored);
}

START_TEST(they_are_those_from_before_the_run)
{
    struct scene scene;
    struct text stored = {0};
    begin(&scene);
    scene.judge.look = "a prediction stands as it was; no reading depends on it";
    if (!read_stored(&stored))
        return;    /* handed in without it */
    for (size_t i = 0; i < LENGTH(predictions); i++) {
        const struct line *before = prediction(&stored, predictions[i]);
        const struct line *now = prediction(&scene.text, predictions[i]);
        if (before && strtod(before->rest, NULL) != strtod(now->rest, NULL))
            judge_reject(&scene.judge, "%s was %s before the run, and is %s now",
                         predictions[i], before->rest, now->rest);
    }
}
END_TEST

START_TEST(each_timeline_is_named)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "README.md, the table: what each of the five looks like";
    for (int i = 0; i < TIMELINES; i++)
        check_kind(&scene, &scene.timelines[i]);
}
END_TEST

/* Rejects a moment at which somebody is still in flight, or long nobody. */
static void check_end(struct scene *scene, const char *name,
                      const struct timeline *timeline, int end)
{
    long read = find_number(scene, name, "ms");
    for (int i = 0; read < end && i < timeline->count; i++)
        if (timeline->requests[i].end > read && timeline->requests[i].end <= end)
            judge_reject(&scene->judge, "%s: at %ld ms request %d of %c still waits",
                         name, read, i, timeline->letter);
    if (read > end)
        judge_reject(&scene->judge, "%s: in %c all that counts ends before %ld ms",
                     name, timeline->letter, read);
}

START_TEST(ends_are_read)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "the axis: a column is 50 ms; a bar ends with its last column";
    const struct timeline *staircase = timeline_of(&scene, STAIRCASE);
    const struct timeline *straggler = timeline_of(&scene, STRAGGLER);
    check_end(&scene, "staircase_end", staircase, last_end(staircase, INT32_MAX));
    check_end(&scene, "straggler_without", straggler,
              last_end(straggler, last_end(straggler, INT32_MAX)));
}
END_TEST

static void check_peak(struct scene *scene, const char *name,
                       const struct timeline *timeline)
{
    long read = find_number(scene, name, "");
    if (read > peak(timeline))
        judge_reject(&scene->judge, "%s: never are %ld requests of %c in flight", name,
                     read, timeline->letter);
    if (read < peak(timeline))
        judge_reject(&scene->judge, "%s: at 0 ms more than %ld of %c are in flight", name,
                     read, timeline->letter);
}

START_TEST(peaks_are_counted)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "a ruler from top to bottom: the most bars that it ever crosses";
    check_peak(&scene, "wall_peak", timeline_of(&scene, WALL));
    check_peak(&scene, "pool_peak", timeline_of(&scene, POOL));
}
END_TEST

/* The request of that timeline whose number is under that name. */
static const struct request *find_request(struct scene *scene, const char *name,
                                          const struct timeline *timeline)
{
    long number = find_number(scene, name, "");
    if (number >= timeline->count)
        judge_reject(&scene->judge, "%s: %c has no request %ld", name, timeline->letter,
                     number);
    return &timeline->requests[number];
}

START_TEST(the_pool_passes_on_a_place)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "where the last bar of the pool begins, and what ends there";
    const struct timeline *pool = timeline_of(&scene, POOL);
    const struct request *request = find_request(&scene, "pool_last", pool);
    if (request->end != last_start(pool))
        judge_reject(&scene.judge, "pool_last: request %d ends at %d ms, the last starts "
                     "at %d ms", (int)(request - pool->requests), request->end,
                     last_start(pool));
}
END_TEST

START_TEST(one_callback_delays_the_rest)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "the =, and what was the last thing that the loop did before them";
    const struct timeline *poisoned = timeline_of(&scene, POISONED);
    int back = 0;    /* when the loop went on */
    for (int i = 0; i < poisoned->count; i++)
        if (poisoned->requests[i].end > poisoned->requests[i].ready)
            back = poisoned->requests[i].end;
    const struct request *request = find_request(&scene, "poisoned_by", poisoned);
    int number = (int)(request - poisoned->requests);
    if (request->end > request->ready)
        judge_reject(&scene.judge, "poisoned_by: the reply to request %d lay unread",
                     number);
    if (request->end > back)
        judge_reject(&scene.judge, "poisoned_by: request %d ended after all of them",
                     number);
    if (request->end < last_end(poisoned, back))
        judge_reject(&scene.judge, "poisoned_by: after request %d the loop read others",
                     number);
    long count = find_number(&scene, "poisoned_unread", "");
    if (count != unread(poisoned))
        judge_reject(&scene.judge, "poisoned_unread: %s than %ld replies lay unread",
                     count < unread(poisoned) ? "more" : "fewer", count);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        the_seed_is_a_number,
        eight_predictions_are_there,
        they_are_those_from_before_the_run,
        each_timeline_is_named,
        ends_are_read,
        peaks_are_counted,
        the_pool_passes_on_a_place,
        one_callback_delays_the_rest,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
