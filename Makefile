# Ways to Wait. `make` builds and nothing else; `make help` lists what else there is.

.DELETE_ON_ERROR:
.SUFFIXES:

BUILD  ?= build
CFLAGS ?= -O2 -g

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
compile  := -std=c11 -D_DEFAULT_SOURCE -Isrc $(warnings) -pthread -MMD -MP

# Asked once. Core is the loop and bufferevents; extra has evhttp, which the server alone uses.
libs_core  := $(shell pkg-config --libs libevent_core 2>/dev/null || echo -levent_core)
libs_extra := $(shell pkg-config --libs libevent_extra 2>/dev/null || echo -levent_extra)

objects = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.c,$(addprefix src/,$(1)))))

.PHONY: all
all: $(addprefix $(BUILD)/,latency-server fetch bench)

$(BUILD)/latency-server: $(call objects,server kit)
$(BUILD)/latency-server: libs = $(libs_extra) $(libs_core)
$(BUILD)/fetch: $(call objects,fetch models kit)
$(BUILD)/fetch: libs = $(libs_core)
$(BUILD)/bench: $(call objects,bench kit)

$(BUILD)/latency-server $(BUILD)/fetch $(BUILD)/bench:
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $^ $(libs) -lm

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(compile) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
