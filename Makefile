# Ways to Wait. `make` builds and nothing else; `make help` lists what else there is.

.DELETE_ON_ERROR:
.SUFFIXES:

BUILD  ?= build
CFLAGS ?= -O2 -g
OUT    ?= plots/out
URL    ?=

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
compile  := -std=c11 -D_DEFAULT_SOURCE -Isrc -I$(BUILD)/gen $(warnings) -pthread -MMD -MP

# A frame that is larger than the guard below a stack must not step over it.
compile  += -fstack-clash-protection

# How coroutines switch: ucontext, or assembly (with a BUILD of its own).
SWITCH  ?= ucontext
compile  += $(if $(filter assembly,$(SWITCH)),-DCORO_ASSEMBLY)

# Asked once. Core is the loop and bufferevents; extra has evhttp, which the server alone uses.
extra := $(shell pkg-config --libs libevent_extra libevent_core 2>/dev/null)
core   = $(filter-out -levent_extra,$(extra))
check  = $(filter-out -pthread,$(shell pkg-config --libs check 2>/dev/null))

# Optional: without it the uring model says so. Buffers that a ring lends came with 2.2, the
# flags that it is opened with came with 2.3.
liburing := $(shell pkg-config --libs 'liburing >= 2.3' 2>/dev/null)

objects = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.c,$(addprefix src/,$(sort $(1))))))
# All of some folders but what has a main: for the tests, which bring their own.
pieces  = $(filter-out %/main.o,$(call objects,$(1)))

programs := $(addprefix $(BUILD)/,latency-server fetch bench first-second whowaits pingpong \
    $(if $(filter x86_64 aarch64,$(shell uname -m)),pingpong-assembly))
suites   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*_test.c))
scripts  := $(wildcard tests/*_test.sh)

# An experiment is a file in src/bench and a script of the same name in plots.
experiments := $(filter $(basename $(notdir $(wildcard plots/*.gp))),$(basename $(notdir $(wildcard src/bench/*.c))))

.PHONY: all
all: $(programs)    ## build the programs into build/ (make alone does this)

$(BUILD)/latency-server: $(call objects,server kit)
$(BUILD)/latency-server: link = $(extra)
$(BUILD)/fetch: $(call objects,fetch models kit) $(call pieces,coro)
$(BUILD)/fetch: link = $(core) $(liburing)
$(BUILD)/bench: $(call objects,bench kit)
$(BUILD)/whowaits: $(call objects,whowaits kit)
$(BUILD)/first-second: $(call objects,coro kit)
$(BUILD)/first-second: link = $(core)
# Both switches, side by side: the same source, compiled a second time.
pingpong := $(call objects,pingpong kit) $(call pieces,coro)
$(BUILD)/pingpong: $(pingpong)
$(BUILD)/pingpong-assembly: $(pingpong:$(BUILD)/obj/%=$(BUILD)/obj/assembly/%)
$(BUILD)/pingpong $(BUILD)/pingpong-assembly: link = $(core)

$(programs):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $^ $(link) -lm

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(compile) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/obj/assembly/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(compile) -DCORO_ASSEMBLY $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Who installs liburing later, or removes it, has these compiled anew.
with_liburing := $(addprefix $(BUILD)/obj/models/,uring.o ring.o)
$(with_liburing): compile += $(if $(liburing),-DWITH_LIBURING)
$(with_liburing): $(BUILD)/gen/liburing
$(BUILD)/gen/liburing: FORCE
	@mkdir -p $(@D)
	@echo '$(liburing)' | cmp -s - $@ || echo '$(liburing)' > $@

$(BUILD)/gen/experiments.inc: $(wildcard src/bench/*.c plots/*.gp)
	@mkdir -p $(@D)
	@printf 'EXPERIMENT(%s)\n' $(experiments) > $@
$(BUILD)/obj/bench/experiments.o: | $(BUILD)/gen/experiments.inc
$(BUILD)/obj/bench/experiments.o: $(BUILD)/gen/experiments.inc

# What the numbers are made with; bench writes it into machine.csv. Written anew only when it
# says something else, so that nothing is compiled for nothing.
$(BUILD)/gen/build.inc: FORCE
	@mkdir -p $(@D)
	@{ printf '#define BUILD_FLAGS "%s"\n' '$(CFLAGS)'; \
	   printf '#define BUILD_LIBEVENT "%s"\n' "$$(pkg-config --modversion libevent_core)"; \
	   printf '#define BUILD_COMMIT "%s"\n' \
	       "$$(git describe --always --dirty 2>/dev/null || echo unknown)"; } > $@.new
	@cmp -s $@.new $@ || cp $@.new $@
	@rm $@.new
$(BUILD)/obj/bench/machine.o: $(BUILD)/gen/build.inc
.PHONY: FORCE

# Tests

# A suite is named after the folder that it tests, and links what that stands on.
needs_kit := kit
needs_server := server kit
needs_coro := coro kit
needs_models := models coro kit
needs_fetch := fetch models coro kit
needs_bench := bench kit
needs_pingpong := kit
needs_judge := kit
needs_whowaits := whowaits kit
$(foreach suite,$(suites),$(eval $(suite): \
    $$(call pieces,$(needs_$(firstword $(subst _, ,$(notdir $(suite))))) kit)))

$(filter $(addprefix $(BUILD)/tests/,bench_% whowaits_%),$(suites)): $(BUILD)/obj/tests/bench_support.o
$(filter $(addprefix $(BUILD)/tests/,models_% fetch_%),$(suites)): $(BUILD)/obj/tests/models_support.o
$(BUILD)/tests/pingpong_test: $(BUILD)/obj/pingpong/pair.o
# What the checks of the exercises share, and stand on beside src/kit and Check.
judge := $(patsubst tests/%.c,$(BUILD)/obj/tests/%.o,$(filter-out %_test.c,$(wildcard tests/judge*.c)))
$(BUILD)/tests/judge_test: $(judge)
$(suites): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/obj/tests/support.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $^ $(extra) $(check) $(if $(filter %/ring.o,$^),$(liburing)) -lm

$(BUILD)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(compile) -I. -DBUILD_DIR='"$(BUILD)"' $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

.PHONY: suites check
suites: $(programs) $(suites)
check: suites    # what `make test` runs once it is set up
	@CC='$(CC)' tests/run.sh $(suites) $(scripts)

.PHONY: test
test:    ## install what is missing, build, and run every test
	@src/setup.sh build charts uring test
	@$(MAKE) --no-print-directory check

.PHONY: demo
demo:    ## a minute's tour: install what is missing, build, run, draw
	@src/setup.sh build charts uring
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@src/demo.sh $(BUILD) $(OUT)

.PHONY: bench
bench: all    ## measure every experiment, five trials each, into plots/out (about six minutes)
	$(BUILD)/bench -o $(OUT)

.PHONY: plots
plots:    ## draw what was measured or counted: SVG and PNG beside the CSV in plots/out
	@plots/draw.sh $(OUT)

.PHONY: doctor
doctor:    ## say what is missing on this machine, and install nothing
	@src/setup.sh --check build charts course uring test sanitize fuzz yardstick format

# The course. An answer to an exercise is compiled apart, under sanitizers, by src/course.

$(BUILD)/course/%/check: exercises/%/check.c $(judge) $(BUILD)/obj/tests/support.o \
    $(call objects,kit) $(wildcard tests/*.h src/kit/*.h) | $(BUILD)/latency-server
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(compile)) -I. -DBUILD_DIR='"$(BUILD)"' $(CPPFLAGS) $(CFLAGS) \
	    $(LDFLAGS) -o $@ $(filter-out %.h,$^) $(check) -lm
$(BUILD)/course/bounded: $(BUILD)/obj/course/bounded.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# exec, so that a signal that ends make ends it too.
course = exec env BUILD='$(BUILD)' CC='$(CC)' MAKE='$(MAKE)' COMPILE='$(filter-out -MMD -MP,$(compile))' \
    src/course/$(1)
digits  := 0 1 2 3 4 5 6 7 8 9
numbers := $(digits) $(foreach ten,$(digits),$(addprefix $(ten),$(digits)))

.PHONY: $(numbers) next
$(numbers):    ### check exercise 05
	@$(call course,course.sh) check $@
next:    ### the first exercise that is not solved yet, and how far you are
	@$(call course,course.sh) next
%-watch: FORCE    ### check it again at each save
	@$(call course,course.sh) watch $*
%-hint: FORCE    ### the next of its three hints
	@$(call course,course.sh) hint $*
%-solution: FORCE    ### yours beside ours, once yours passes (or with ANYWAY=1)
	@$(call course,course.sh) solution $*
%-reset: FORCE    ### the starter again; yours is kept beside it
	@$(call course,course.sh) reset $*
%-arrange: FORCE    ### check the blocks that you put in order (03 and 09)
	@$(call course,course.sh) check $@
%-predict: FORCE    ### store your predictions for lesson 05, before its run
	@$(call course,predict.sh) predict $* $(ANSWERS)
.PHONY: calibration
calibration:    ### draw all that you predicted against what came out
	@$(call course,predict.sh) calibration $(OUT)

.PHONY: grade verdicts
grade:    ### judge every exercise by what was committed, into build/grade.json
	@$(call course,grade.sh)
verdicts:
	@$(call course,course.sh) verdicts

RUNS ?= 100
.PHONY: check-course check-flakes check-lessons
check-course:    ## for maintainers: starters fail, solutions pass, wrong answers meet their words
	@$(call course,maintain.sh) check
check-flakes:    ## for maintainers: every solution RUNS times beside a busy loop on every core
	@$(call course,maintain.sh) flakes $(RUNS)
check-lessons: all $(BUILD)/course/bounded    ## for maintainers: do what the lessons say
	@tests/check_lessons.sh $(BUILD)

san_cflags = -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
# TSan with clang: gcc 12 needs 2 ms for each coroutine, clang 10 us. The scripts run no code
# of ours that would be compiled anew.
.PHONY: sanitize
sanitize:    ## the whole test suite under ASan and UBSan, then under TSan
	@src/setup.sh build charts uring test sanitize fuzz
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan \
	    CFLAGS='$(san_cflags) -fsanitize=address,undefined' scripts= check
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/tsan \
	    CFLAGS='$(san_cflags) -fsanitize=thread' scripts= check

FUZZ_SECONDS ?= 30
fuzzers := $(patsubst tests/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz_*.c))
.PHONY: fuzz
fuzz:    ## feed random bytes to the HTTP reader and the option parser, half a minute each
	@src/setup.sh build fuzz
	@$(MAKE) --no-print-directory CC=clang $(fuzzers)
	@set -e; for f in $(fuzzers); do echo "$$f"; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 \
	        -artifact_prefix=$$f- 2> $$f.log || { cat $$f.log; exit 1; }; \
	    grep number_of_executed_units $$f.log; done

$(BUILD)/fuzz/%: tests/%.c $(wildcard src/kit/*.[ch])
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(compile)) -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -o $@ $< $(wildcard src/kit/*.c) -lm

.PHONY: yardstick
yardstick:    ## compare with wrk and nginx, and print each figure beside its aim (seven minutes)
	@src/setup.sh build yardstick
	@$(MAKE) --no-print-directory all
	@tests/yardstick.sh $(BUILD)

.PHONY: both-compilers
both-compilers:    ## build with gcc, with clang, and without what is optional; a warning is an error
	@src/setup.sh build uring test fuzz
	@for cc in gcc clang; do $(MAKE) --no-print-directory BUILD=$(BUILD)/$$cc CC=$$cc \
	    CFLAGS='$(CFLAGS) -Werror' suites || exit 1; done
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/plain CFLAGS='$(CFLAGS) -Werror' SWITCH=assembly \
	    liburing= suites

sources = $(wildcard src/*/*.c src/*/*.h tests/*.c tests/*.h)
.PHONY: format
format:    ## lay out all C source as .uncrustify.cfg says
	@src/setup.sh format
	uncrustify -q -c .uncrustify.cfg --no-backup $(sources)

compile_commands.json: Makefile $(wildcard src/*/*.c tests/*.c)    ## for editors and clangd
	@{ echo '['; comma=; for f in $(filter %.c,$(sources)); do \
	    printf '%s{"directory":"%s","file":"%s","command":"cc %s -c %s"}' "$$comma" '$(CURDIR)' \
	        "$$f" '$(filter-out -MMD -MP,$(compile)) -I. -DBUILD_DIR=\"$(BUILD)\"' "$$f"; \
	    comma=','; echo; done; echo ']'; } > $@

.PHONY: lines
lines:    ## count what each model costs the programmer: print it, and keep it for `make plots`
	@mkdir -p $(OUT)
	@src/lines.sh > $(OUT)/lines.csv
	@cat $(OUT)/lines.csv

.PHONY: clean
clean:    ## remove what was built; what was measured stays
	rm -rf $(BUILD) compile_commands.json

.PHONY: help
help:    ## this list
	@echo "The course, here with exercise 05:"
	@$(call list,###)
	@echo "The kit:"
	@$(call list,##)
list = sed -n 's/^\([a-z_.%$$()-]*\):.*    $(1) /\1\t/p' Makefile | sed 's/^%/05/; s/^[$$][^\t]*/05/' | \
    while IFS="$$(printf '\t')" read -r target text; do printf '  make %-22s %s\n' "$$target" "$$text"; done

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
