#!/bin/sh
# The course's runner, in a made-up tree with tiny exercises: verdicts, hostile answers, hints,
# grading, and that nothing of the student's is lost, whenever a command is killed.
set -u

here=$(pwd)
tree=$(mktemp -d) || exit 1
started=
trap '[ -z "$started" ] || kill -9 $started 2>/dev/null; rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM
wrong=0

complain() {
    echo "course_test.sh: $1" >&2
    [ ! -f said ] || sed 's/^/    /' said >&2
    wrong=$((wrong + 1))
}

# Runs make; what it says is in said. The status must be $1, and the words $2 be said.
expect() {
    status=$1 words=$2
    shift 2
    make --no-print-directory CC="${CC:-cc}" "$@" >said 2>&1 </dev/null
    came=$?
    [ $came -eq 2 ] || [ $came -eq 0 ] || complain "make $*: make itself ended with $came"
    [ $((came / 2)) -eq "$status" ] || complain "make $*: status $came"
    grep -qF -e "$words" said || complain "make $*: does not say '$words'"
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
cp -p "$here/plots/draw.sh" plots
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
- `it said bye`: bye is what you say later.
- `it said nothing`: say something.
## 2: where to look
puts(3)
## 3
puts("hello");
END
cat >shim.c <<'END'
int __real_puts(const char *text);
int __wrap_puts(const char *text);
int __wrap_puts(const char *text) { return __real_puts(text[0] == 'h' ? "wrapped" : text); }
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
    if (judge(argv[1], "program", "hello") || judge(argv[1], "program-tsan", "hello") ||
        judge(argv[1], "program-shim", "wrapped"))
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
mkdir -p exercises/01-read/wrong solutions/01-read
