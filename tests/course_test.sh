#!/bin/sh
# The course's runner, in a made-up tree with tiny exercises: verdicts, hostile answers,
# hints, grading, and that nothing of the student's is lost, whenever a command is killed.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL BUILD CFLAGS LDFLAGS COURSE_STATE ANYWAY ANSWERS

here=$(pwd)
tree=$(mktemp -d) || exit 1
started=
trap '[ -z "$started" ] || kill -9 $started 2>/dev/null; rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM
wrong=0

complain() {
    echo "course_test.sh: $1" >&2
    [ ! -f said ] || sed 's/^/    /;20q' said >&2
    wrong=$((wrong + 1))
}

# Runs a command, or make; what it says is in said. It must pass or fail, as $1
# says, and say the words $2.
expect_of() {
    wanted=$1 words=$2
    shift 2
    "$@" >said 2>&1 </dev/null
    came=$?
    case "$wanted $came" in
    passes\ 0 | fails\ [12]) ;;
    *) complain "$*: status $came" ;;
    esac
    grep -qF -e "$words" said || complain "$*: does not say '$words'"
}

expect() {
    wanted=$1 words=$2
    shift 2
    expect_of "$wanted" "$words" make --no-print-directory "$@"
}

expect_not() {
    ! grep -qF -e "$1" said || complain "says '$1'"
}

# The tree: the real Makefile and runner; a kit, a server and tests of next to nothing.
cp -rp "$here/Makefile" "$here/.gitignore" "$tree"
cd "$tree" || exit 1
mkdir -p src/kit src/server tests exercises solutions lessons plots
cp -rp "$here/src/course" src
cp -p "$here"/tests/check_lessons* tests
cp -p "$here"/plots/calibration.gp "$here"/plots/setup.gpi "$here"/plots/palette.gpi plots
echo 'int kit(void); int kit(void) { return 0; }' >src/kit/kit.c
echo 'int main(void) { return 0; }' >src/server/main.c
echo 'int support(void); int support(void) { return 0; }' >tests/support.c

mkdir -p exercises/05-say-hello/wrong solutions/05-say-hello
cd exercises/05-say-hello || exit 1
cat >exercise.conf <<'END'
title="Say hello"
kind="fill in"
lesson=05-hello
asked="one line: hello"
tsan=yes
wrap="puts"
END
cat >README.md <<'END'
# Say hello
## The check
It must say hello.
## Notes
None.
END
cat >hints.md <<'END'
## 1
Read it aloud.

- *it said … word*: say something else.
- *it said bye*, *it said good…*: bye is what you say
  later.
- *it said nothing*: say something.
## 2: where to look
puts(3)
## 3
puts("hello");
END
cat >shim.c <<'END'
int __real_puts(const char *text);
int __wrap_puts(const char *text);
int __wrap_puts(const char *text)
{
    return __real_puts(text[0] == 'h' ? "wrapped" : text);
}
END
cat >say_hello.c <<'END'
int main(void)
{
    return 0;    /* TODO */
}
END
# A judge that follows the contract, and is no better than it must be.
cat >check.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int judge(const char *folder, const char *program, const char *expected)
{
    char path[256], said[64] = "";
    int out[2], status;
    if (pipe(out) < 0)
        return 2;
    snprintf(path, sizeof path, "%s/%s", folder, program);
    if (fork() == 0) {
        dup2(out[1], 1);
        execl(path, path, (char *)NULL);
        _exit(1);
    }
    close(out[1]);
    ssize_t got = read(out[0], said, sizeof said - 1);
    close(out[0]);
    wait(&status);
    said[strcspn(said, "\n")] = '\0';
    if (got > 0 && strcmp(said, expected) == 0)
        return 0;
    printf("rejected: it said %s\nlook: puts in say_hello.c\n", *said ? said : "nothing");
    return 1;
}

int main(int argc, char *argv[])
{
    if (argc != 2)
        return 2;
    char tsan[256];
    snprintf(tsan, sizeof tsan, "%s/program-tsan", argv[1]);
    if (access(tsan, X_OK) < 0)
        return 2;
    if (judge(argv[1], "program", "hello") || judge(argv[1], "program-shim", "wrapped"))
        return 1;
    puts("passed: 3 cases");
    return 0;
}
END
hello() {
    printf '#include <stdio.h>\n#include <unistd.h>\n#include <signal.h>\n'
    printf 'int main(void)\n{\n    %s\n    puts("hello");\n    return 0;\n}\n' "$1"
}
hello '' >../../solutions/05-say-hello/say_hello.c
echo "# Why" >../../solutions/05-say-hello/notes.md
for n in 1 2 3 4 5; do
    { echo "/* rejected: it said bye$n */"; hello "puts(\"bye$n\");"; } >wrong/bye$n.c
done
cd "$tree" || exit 1
sed -i 's/^limit_s=60 /limit_s=4 /' src/course/answer.sh    # for a judge that hangs
echo '# Hello' >lessons/05-hello.md
mine=exercises/05-say-hello/say_hello.c
git init -q .
commit() {
    git add -A
    git -c user.name=test -c user.email=test@127.0.0.1 commit -qm "$1"
}
commit starter

running() {
    find /proc -maxdepth 2 -name exe -lname "$tree/*" 2>/dev/null
}
nothing_runs() {
    for _ in $(seq 300); do    # a guard: what was killed may take a moment to end
        [ -n "$(running)" ] || return 0
        sleep 0.1
    done
    complain "$1: still running: $(running)"
}

# --- Verdicts ---

expect fails 'seen   it said nothing' 05
expect fails 'asked  one line: hello' 5
expect fails 'look   puts in say_hello.c' 05
expect fails 'there is no exercise 17; there are: 05' 17
expect passes '0 of 1 passed' next
expect passes '1 different attempts; the last: it said nothing' next
hello 'puts("passed: 3 cases");' >$mine
expect fails 'seen   it said passed: 3 cases' 05
hello 'puts("two\\nlines");' >$mine
expect fails 'seen   it said two\nlines' 05
expect passes 'the last: it said two\nlines' next
hello 'puts("\033[31mred");' >$mine
expect fails 'seen   it said [31mred' 05
hello 'hello' >$mine
expect fails 'it does not compile' 05
grep -q "$mine:6:.*error: .*hello" said || complain "does not show the compiler's words"
: >$mine
expect fails "$mine is empty" 05
mv $mine exercises/05-say-hello/other.c
expect fails "$mine is not there" 05
mkdir $mine
expect fails "$mine is no file" 05
rmdir $mine
echo '#include "/dev/zero"' >$mine
expect fails 'it does not compile' 05

# --- Hostile answers: what the judge itself does not stop ---

hello 'for (;;) pause();' >$mine
expect fails 'the judge did not come back within 4 s' 05
nothing_runs "an answer that never ends"
hello 'for (int fd = 0; fd < 1024; fd++) close(fd); for (;;) pause();' >$mine
expect fails 'the judge did not come back' 05
nothing_runs "an answer that closes every descriptor"
hello 'for (int i = 0; i < 50; i++) if (fork() == 0) { setsid(); for (;;) pause(); }' >$mine
expect passes 'passed, 3 cases' 05
nothing_runs "an answer that leaves processes"
hello 'kill(getppid(), SIGKILL);' >$mine
expect fails 'the judge was ended by signal 9 while the program ran' 05
nothing_runs "an answer that kills its parent"

# A check that is killed with make takes its program along, and leaves what the student
# has.
hello 'for (;;) pause();' >$mine
cp $mine kept
cp .course before
make 05 >said 2>&1 &
started=$!
for _ in $(seq 600); do running | grep -q . && break; sleep 0.1; done
for one in /proc/[0-9]*; do    # the runner itself, which is the one that waits for it
    # shellcheck disable=SC2002    # it may be gone, about which the shell itself would complain
    case $(cat "$one/cmdline" 2>/dev/null | tr '\0' ' ') in
    *"src/course/course.sh check 05 ")
        [ "$(readlink "$one/cwd")" = "$tree" ] && kill -9 "${one#/proc/}" ;;
    esac
done
wait $started
started=
nothing_runs "a check that was killed"
cmp -s $mine kept || complain "a killed check changed the answer"
cmp -s .course before || complain "a killed check changed the state"

# --- Hints ---

rm .course
expect fails 'no attempt yet' 05-hint
hello 'printf("bye %d\n", (int)getpid());' >$mine    # another fact each time
expect fails 'seen   it said bye' 05
expect passes 'bye is what you say' 05-hint
grep -q '^  later' said || complain "a hint is cut"
grep -q 'aloud' said || complain "a hint for all is left out"
expect_not 'say something'
expect passes 'puts(3)' 05-hint
expect_not 'is what you say later'
expect fails 'the third hint opens after a changed attempt' 05-hint
expect fails 'seen   it said bye' 05
expect fails 'the third hint opens after a changed attempt' 05-hint
echo >>$mine    # white space is no change
expect fails 'seen   it said bye' 05
expect fails 'the third hint opens after a changed attempt' 05-hint
hello 'puts("good");' >$mine
expect fails 'the third hint opens after a changed attempt' 05-hint
expect fails 'seen   it said good' 05
expect passes 'puts("hello");' 05-hint
expect passes 'Hint 3 of 3' 05-hint

# --- The solution, and the starter again ---

expect fails 'yours has not passed yet' 05-solution
expect_not '+int main'
expect passes '-    puts("good");' 05-solution ANYWAY=1
commit "the student commits too"
expect passes "yours is kept: $mine.1" 05-reset
grep -q TODO $mine || complain "reset does not bring the starter"
grep -q good $mine.1 || complain "reset loses the answer"
expect passes 'is the starter already' 05-reset
[ ! -e $mine.2 ] || complain "reset keeps the starter"
git status --porcelain exercises | grep -qv " $mine\$" && complain "git sees what is kept"
rm $mine
expect passes 'is the starter again' 05-reset

# Killed at each step of writing, they lose nothing, and work again afterwards.
hello 'puts("precious");' >$mine
expect fails 'seen   it said precious' 05
mkdir bin
for tool in sync mv cp; do
    cat >bin/$tool <<END
#!/bin/sh
echo >>$tree/steps
[ \$(wc -l <$tree/steps) -ne "\$KILL_AT" ] || { kill -9 \$PPID; exit 1; }
PATH=\${PATH#*:} exec $tool "\$@"
END
    chmod +x bin/$tool
done
for what in 05-reset:1 05-reset:2 05-reset:3 05-reset:4 05-reset:5 \
    05:1 05:2 05-hint:1 05-hint:2; do
    hello "puts(\"precious $what\");" >$mine
    sed -i '/^hint/d' .course
    cp .course before
    : >steps
    KILL_AT=${what#*:} PATH=$tree/bin:$PATH make "${what%:*}" >said 2>&1 </dev/null &&
        complain "$what: it is not killed: the steps are others now"
    grep -q "precious $what" $mine $mine.[0-9]* ||
        complain "$what: killed, it loses the answer"
    grep -q . $mine || complain "$what: killed, it leaves half an answer"
    head -n "$(wc -l <before)" .course | cmp -s - before ||
        complain "$what: killed, it loses some of the state"
done
expect passes 'is the starter again' 05-reset

# --- Watching: again at each save ---

make 05-watch >watched 2>&1 </dev/null &
started=$!
await() {
    for _ in $(seq 600); do grep -q "$1" watched && return; sleep 0.1; done
    complain "05-watch does not say '$1': $(cat watched)"
}
await 'it said nothing'
hello '' >$mine.saved && mv $mine.saved $mine
await 'passed, 3 cases'
kill $started
wait $started
started=
expect passes 'yours beside ours' 05
expect passes 'is the same as' 05-solution
expect fails 'yours has passed' 05-hint
expect passes '1 of 1 passed' next

# --- Grading, from what was committed ---

verdict_is() {
    grep -q "\"exercise\": \"05-say-hello\", \"verdict\": \"$1\"" build/grade.json ||
        complain "build/grade.json does not say $1: $(cat build/grade.json)"
}
cp .course before
expect passes 'passed' grade
verdict_is passed
hello 'puts("bye");' >$mine
cp exercises/05-say-hello/check.c check.kept
echo 'int puts(const char *s); int main(void) { puts("passed: 9 cases"); return 0; }' \
    >exercises/05-say-hello/check.c
cat >>src/kit/kit.c <<'END'
#include <unistd.h>
__attribute__((constructor)) static void cheat(int argc)
{
    if (argc == 1 && write(1, "hello\n", 6) == 6)
        _exit(0);
}
END
expect passes 'passed, 9 cases' 05
expect passes 'exercises/05-say-hello/check.c was edited, which made no difference' grade
verdict_is rejected
grep -q '"vouched": true' build/grade.json || complain "grade does not vouch for a clone"
grep -q '"src/kit/kit.c"' build/grade.json || complain "grade does not tell of the kit"
mv .git aside
expect passes 'Not vouched for: this tree is no git clone' grade
grep -q '"vouched": false' build/grade.json || complain "grade vouches for no clone"
expect fails 'the starter is in no commit' 05-reset
grep -q bye $mine || complain "a reset without git loses the answer"
mv aside .git
git checkout -q src/kit/kit.c exercises/05-say-hello/check.c

# --- Predictions as an exercise, and blocks to be put in order ---

mkdir -p exercises/01-read/wrong solutions/01-read
sed 's/05-hello/01-read/; s/hello/read/; s/tsan=yes/tsan=no/' \
    exercises/05-say-hello/exercise.conf >exercises/01-read/exercise.conf
cp exercises/05-say-hello/README.md exercises/05-say-hello/hints.md exercises/01-read
cat >exercises/01-read/check.c <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char *argv[])
{
    char text[64] = "";
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file || !fgets(text, sizeof text, file))
        return 2;
    text[strcspn(text, "\n")] = '\0';
    if (text[0] == '6')
        return puts("passed: 1 cases") < 0;
    printf("rejected: '%s' is not 6\nlook: the staircase\n", text);
    return 1;
}
END
echo '? seconds' >exercises/01-read/read.txt
echo '6 seconds' >solutions/01-read/read.txt
echo '# Why' >solutions/01-read/notes.md
echo '# Read' >lessons/01-read.md
for n in 1 2 3 4 5; do echo "# rejected: wrong $n" >exercises/01-read/wrong/$n.txt; done
expect fails 'look   the staircase' 01
cp solutions/01-read/read.txt exercises/01-read
expect passes 'passed, 1 cases' 01
echo '? seconds' >exercises/01-read/read.txt

cat >exercises/05-say-hello/arrange.txt <<'END'
order: A

--- A
#include <stdio.h>
--- B
int main(void)
{
--- C
    puts("bye");
--- D
    puts("hello");
}
END
echo 'order: A B D' >solutions/05-say-hello/arrange.order
expect fails 'it does not compile' 05-arrange
sed -i 's/^order:.*/order: A, B C D/' exercises/05-say-hello/arrange.txt
expect fails 'it said bye' 05-arrange
sed -i 's/^order:.*/order: A B D/' exercises/05-say-hello/arrange.txt
expect passes 'passed, 3 cases' 05-arrange
sed -i 's/^order:.*/order: A B X/' exercises/05-say-hello/arrange.txt
expect fails 'block X is not there' 05-arrange
sed -i 's/^order:.*/order: A/' exercises/05-say-hello/arrange.txt
expect fails 'no blocks to arrange' 01-arrange

# --- What maintainers check ---

git checkout -q "$(git rev-list --max-parents=0 HEAD)" -- $mine
expect passes '2 exercises, 0 complaints' check-course
commit whole
five=exercises/05-say-hello
cp $mine solutions/05-say-hello
sed -i 's/rejected: it said bye3/rejected: it said good/' $five/wrong/bye3.c
echo 'int x' >$five/wrong/bye2.c
rm $five/wrong/bye1.c lessons/05-hello.md
sed -i '/^## 3/,$d' $five/hints.md
sed -i 's/order: A/order: A B D/' $five/arrange.txt
expect fails '2 exercises, 7 complaints' check-course
while read -r words; do
    grep -qF -e "$words" said || complain "check-course does not say '$words'"
done <<'END'
solutions/05-say-hello/say_hello.c is rejected (it said nothing), not passed
bye3.c is rejected for 'it said bye3', not 'it said good'
bye2.c does not begin with /* rejected: WORDS */
it has 4 wrong answers, not five or more
hints.md lacks tier 3
lessons/05-hello.md is not there
arrange.txt is passed as it is given
END
git reset -q --hard HEAD
cp solutions/05-say-hello/say_hello.c $mine
sed -i 's/return 0;/int unused; return 0;/' solutions/05-say-hello/say_hello.c
expect fails 'say_hello.c is passed (3 cases), not rejected' check-course
grep -q 'solutions/.*compiles with warnings' said || complain "it allows warnings"
git reset -q --hard HEAD

# The load is made of sleepers here: what counts is that each core has one, and none is
# left.
sed -i 's/while :; do :; done/sleep 4321/' src/course/maintain.sh
loaded() {
    grep -lz '^4321$' /proc/[0-9]*/cmdline 2>/dev/null
}
cat >exercises/01-read/check.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    if (system("grep -qz '^4321$' /proc/[0-9]*/cmdline 2>/dev/null") == 0)
        system("echo >>seen");
    return puts("passed: 1 cases") < 0;
}
END
expect passes "2 runs of 2 solutions, a busy loop on each of $(nproc) cores: 0 not passed" \
    check-flakes RUNS=2
[ "$(wc -l <seen)" = 2 ] || complain "the solutions are not run beside a load"
[ -z "$(loaded)" ] || complain "the load is left running"
hello 'FILE *f = fopen("runs", "a"); fputc(46, f);
    if (ftell(f) > 3) puts("bye");
    fclose(f);' >solutions/05-say-hello/say_hello.c
expect fails 'rejected: it said bye' check-flakes RUNS=2
[ -z "$(loaded)" ] || complain "the load is left running after a failure"

# --- Predictions ---

cat >lessons/05-predict.txt <<'END'
makespan | How long do three requests take, one after the other? | s | cat outcome
memory | How much memory? | B |
threads | How many threads? | threads | cat outcome-threads
END
expect fails 'no terminal to ask on' 05-predict
expect fails 'lesson 07 has nothing to predict' 07-predict
printf 'makespan 2500 ms\nmemory 8 KiB\nthreads \n' >answers
expect fails "threads: '' is not a number and its unit" 05-predict ANSWERS=answers
! grep -q predicted .course || complain "half of a wrong file of answers is stored"
printf 'makespan 6 KiB\nmemory 8 KiB\nthreads 3\n' >answers
expect fails "makespan: '6 KiB' is not a number and its unit" 05-predict ANSWERS=answers
printf 'makespan 2500 ms\nmemory 8192\nthreads 1 thread\n' >answers    # [B], the prompt says
expect passes '3 predictions are stored' 05-predict ANSWERS=answers
grep -qx 'predicted 05/makespan 2.5 s' .course || complain "the prediction is not stored"
grep -qx 'predicted 05/memory 8192 B' .course || complain "the bytes are not stored"
expect fails "no prediction's outcome is known yet" calibration
printf 'makespan 6 s\nmemory 8 KiB\nthreads 1 thread\n' >answers
expect passes '3 predictions are stored' 05-predict ANSWERS=answers
echo 6.03 >outcome
printf 'makespan 6.03 s\nmemory 9 KiB\nthreads 2k threads\n' >answers
expect passes 'the run has been made; your prediction was: 6 s' 05-predict ANSWERS=answers
rm outcome    # what came out stands, too
expect passes 'the run has been made; your prediction was: 6 s' 05-predict ANSWERS=answers
expect passes 'out/calibration.svg' calibration OUT=out
grep -qx '05,makespan,s,6,6.03' out/calibration.csv || complain "a row is wrong"
[ "$(wc -l <out/calibration.csv)" = 2 ] || complain "the chart has too many rows"

# --- Lessons: a whole one passes; each wrong one is named by its line ---

rm lessons/*
mkdir -p src/models
printf 'static int begin(int n)\n{\n    return other(n);\n}\n' >src/models/one.c
cat >lessons/02-whole.md <<'END'
# Whole

Read [`src/models/one.c`](../src/models/one.c): `begin()`. A [web page](https://example.org/)
is not asked for, nor is a [place](02-whole.md#whole) in a page.

```sh
name=hello
sleep 4321 &
echo "$name  took 17.25us, 9 seconds"; echo aside; echo; echo more; echo "the end: 3 of 4"
```

It prints, on your machine:

```text
hello took 9 ms, 7 seconds
…
the …: 1 of 2
```

- ```sh
  kill %1
  echo "$name again"
  ```

  ```text
  hello again
  ```

```assert
# the variables are those of the blocks
test "$name" = hello
```

```c
this is not run
```

```text
nor is this compared
```

```sh
sleep 4321 &
sh -c 'sleep 4321 & sleep 4321 &'
```
END
expect_of passes '02-whole.md: 4 blocks, 1 assertions, 2 links, 1 functions' \
    tests/check_lessons.sh build
[ -z "$(loaded)" ] || complain "check-lessons leaves programs running"
expect_of passes '1 lessons, 0 complaints' tests/check_lessons.sh build

cat >lessons/03-wrong.md <<'END'
# Wrong: [nowhere](nowhere.md)

`other()` in [one.c](../src/models/one.c) is called there, not defined; `begin()` is:

```sh
echo one; echo two; echo three
```

```text
one
too
three
```

```sh
echo one; echo two
```

```text
one
```

```sh
echo one
```

```text
…
one
two
```

```assert
true
test 1 = 2
```

```sh
ls /nowhere/at/all
```

```sh
while :; do sleep 1; done
```

```sh
echo "never reached"
```
END
sed -i 's/^limit=600 /limit=15 /' tests/check_lessons.sh
expect_of fails '2 lessons, 9 complaints' tests/check_lessons.sh build
while read -r words; do
    grep -qF -e "$words" said || complain "check-lessons does not say '$words'"
done <<'END'
03-wrong.md:1: nowhere.md is not there
03-wrong.md:3: other() is not defined in ../src/models/one.c
03-wrong.md:11: expected 'too', but came 'two'
03-wrong.md:20: expected 'no more', but came 'two'
03-wrong.md:30: expected 'two', but came 'nothing more'
03-wrong.md:35: this does not hold: test 1 = 2
03-wrong.md:39: this block ends with status
03-wrong.md:43: the lesson's shell does not come back from here
03-wrong.md:47: this block is not reached
END

[ $wrong -eq 0 ]
