# SPDX-License-Identifier: Apache-2.0
# One Makefile, not recursive. A source file is found by its folder: adding one changes no list.
# Objects stand in build/VARIANT (release, debug, asan); generated sources in build/gen.

VARIANT ?= release
PREFIX ?= /usr/local
CC = gcc
CLANG = clang
PYTHON = /usr/bin/python3
ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
B = build/$(VARIANT)

WARN = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
       -Wformat=2 -Wvla -Wpointer-arith -Wwrite-strings -Wswitch-enum -Werror
OPT_release = -O2 -g
OPT_debug = -Og -g3
OPT_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# -iquote, not -I: runtime/wait.h must never stand before the system's <wait.h>.
INCLUDES = $(addprefix -iquote ,. grammar compiler runtime build/gen)
CFLAGS = -std=gnu11 -D_GNU_SOURCE $(INCLUDES) $(OPT_$(VARIANT)) -ffile-prefix-map=$(CURDIR)=. \
         -MMD -MP
# NULL + 0 is no finding (C2y defines it; gcc does not report it either): no pointer-overflow.
OPT_fuzz = -O1 -g -w -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow \
           -fno-sanitize-recover=all
LDFLAGS = $(filter -fsanitize=%,$(OPT_$(VARIANT)))
LIBS_runtime = -lbpf -lelf -lz -llz4
LIBS_compiler = -lyaml $(LIBS_runtime)
TIME = 60
BPF_CFLAGS = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Ibpf -fdebug-compilation-dir=. \
             -idirafter /usr/include/$(shell $(CC) -print-multiarch) \
             -Wall -Wextra -Wno-unused-parameter -Werror -MMD -MP

# One short line for each command; `make V=1` shows them whole.
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$@';)

# ---- what there is ----
LEX := $(patsubst grammar/%.re,build/gen/%.c,$(wildcard grammar/*.re))
YACC := $(patsubst grammar/%.y,build/gen/%.c,$(wildcard grammar/*.y))
# Of the hooks those that the kernel verifies longest are first in a bundle (runtime/aside.h).
PROBE := $(patsubst bpf/%.bpf.c,build/bpf/%.bpf.o,$(sort $(wildcard bpf/*.bpf.c)))
HOOKS := $(filter build/bpf/hook_%,$(PROBE))
LONG := $(patsubst %,build/bpf/hook_%.bpf.o,sys_exit judge exec)
BPF := $(filter-out $(HOOKS),$(PROBE)) $(LONG) $(filter-out $(LONG),$(HOOKS))
objects = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard $(1)/*.c)))
GRAMMAR_O = $(call objects,grammar) $(patsubst build/%.c,$(B)/%.o,$(LEX) $(YACC))
RUNTIME_O = $(call objects,runtime)
COMPILER_O = $(call objects,compiler) $(B)/gen/probes.o
LIBS = $(B)/libcompiler.a $(B)/libruntime.a $(B)/libgrammar.a
UNIT = $(patsubst tests/unit/%.c,$(B)/%,$(wildcard tests/unit/test_*.c))
DIFF_O = $(patsubst %.c,$(B)/%.o,$(wildcard tests/diff/*.c))
TOOLS = $(patsubst %.c,$(B)/%,$(filter-out %.bpf.c,$(wildcard tests/live/*.c tests/bench/*.c)))
FUZZ = $(patsubst tests/fuzz/%.c,build/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c))
REPLAY = $(patsubst tests/fuzz/%.c,$(B)/replay_%,$(wildcard tests/fuzz/*.c))
FUZZ_O = $(addprefix $(B)/tests/fuzz/lib/,compile.o judge.o json.o recorded.o) \
         $(filter-out %/main.o,$(DIFF_O))

# build/rulec and build/rulerun are always the release programs.
all: $(if $(filter release,$(VARIANT)),build/rulec build/rulerun,$(B)/rulec $(B)/rulerun)
build/rulec build/rulerun: build/%: build/release/%
	$(call say,LN)ln -f $< $@

$(B)/rulec: $(B)/compiler/main.o $(LIBS)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler)
$(B)/rulerun: $(B)/runtime/main.o $(B)/libruntime.a $(B)/libgrammar.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_runtime)
$(B)/libcompiler.a: $(COMPILER_O)
$(B)/libruntime.a: $(RUNTIME_O)
$(B)/libgrammar.a: $(GRAMMAR_O)
$(B)/%.a:
	$(call say,AR)rm -f $@ && ar rcs $@ $^
$(B)/test_%: $(B)/tests/unit/test_%.o $(LIBS)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler) -lcmocka
$(B)/diff: $(DIFF_O) $(LIBS)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $(DIFF_O) -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler) -lm
$(TOOLS): $(B)/%: $(B)/%.o $(LIBS)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler)
$(FUZZ): build/fuzz/fuzz_%: build/fuzz/tests/fuzz/%.o $(FUZZ_O) $(LIBS)
	$(call say,LINK)$(CC) -fsanitize=fuzzer,address,undefined -o $@ $< $(FUZZ_O) \
	    -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler)
$(REPLAY): $(B)/replay_%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/lib/replay.o $(FUZZ_O) $(LIBS)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler)
$(B)/fuzz_tool_%: $(B)/tests/fuzz/lib/%.o $(LIBS)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LIBS_compiler)

# ---- objects; generated code converts and declares as its generator likes ----
$(B)/gen/%.o: build/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS) -Wall -Werror -c -o $@ $<
$(B)/gen/%.o: build/gen/%.S
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -c -o $@ $<
$(B)/%.o: %.c | $(LEX) $(YACC)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS) $(WARN) -c -o $@ $<
build/gen/%.c: grammar/%.re
	@mkdir -p $(@D)
	$(call say,RE2C)re2c -W --no-generation-date -o $@ $<
build/gen/%.c build/gen/%.h &: grammar/%.y
	@mkdir -p $(@D)
	$(call say,BISON)bison -Wall -Wno-empty-rule -Werror --header=build/gen/$*.h -o build/gen/$*.c $<
# BTF keeps the types and lines; the DWARF it was made from is dropped.
build/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPF_CFLAGS) -c -o $@ $< && llvm-strip -g $@
# Blocks stay in order: a loop that clang enters in its middle is refused before 6.3 (tests/edges.py).
build/bpf/extract_fd.bpf.o: BPF_CFLAGS += -mllvm -disable-block-placement
vpath %.bpf.c tests/bench tests/live/filter
build/bpf/tests/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPF_CFLAGS) -c -o $@ $< && llvm-strip -g $@
build/gen/probes.S: $(BPF) bpf/embed.sh Makefile
	@mkdir -p $(@D)
	$(call say,GEN)sh bpf/embed.sh $(BPF) > $@

# ---- targets ----
check: all $(UNIT) $(B)/diff $(TOOLS) $(REPLAY)
	$(PYTHON) tests/run.py check
test: all $(UNIT) $(B)/diff $(TOOLS) $(REPLAY) build/bpf/tests/pass.bpf.o
	$(MAKE) VARIANT=asan asan-programs
	$(PYTHON) tests/run.py test
asan-programs: $(UNIT) $(B)/rulec $(B)/rulerun $(B)/diff $(REPLAY)
# Debian's 6.1 and 6.12 under QEMU. KERNELS: options, `--series 6.1` for example.
test-kernels: all $(TOOLS)
	$(PYTHON) tests/kernels/run.py $(KERNELS)
diff: all $(B)/diff
	$(PYTHON) tests/run.py diff
# TIME: seconds, shared among the harnesses.
fuzz: all $(B)/fuzz_tool_dict $(B)/fuzz_tool_seed
	$(MAKE) VARIANT=fuzz CC=$(CLANG) WARN= fuzz-programs
	$(PYTHON) tests/fuzz/run.py $(TIME)
fuzz-programs: $(FUZZ)
# BENCH: their options, `--only calls` for example. calibrate writes compiler/cost.def.
bench calibrate: all $(TOOLS) $(patsubst tests/bench/%.bpf.c,build/bpf/tests/%.bpf.o,$(wildcard tests/bench/*.bpf.c))
	$(PYTHON) tests/bench/$@.py $(BENCH)
lint: $(LEX) $(YACC)
	sh tests/lint.sh
bless: all
	$(PYTHON) tests/run.py bless
docs: all
	$(PYTHON) docs/reference.py build/rulec > build/reference.md
demo: all
	bash tests/demo.sh
run: all
	bash tests/demo.sh --stay
deps:
	sh tests/deps.sh
install: all
	install -D -t $(DESTDIR)$(PREFIX)/bin build/rulec build/rulerun
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/rulec.1 docs/rulerun.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/rulec/stdlib stdlib/*.yaml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/rulec/rules rules/*.yaml
clean:
	rm -rf build

.PHONY: all check test test-kernels asan-programs diff fuzz fuzz-programs bench calibrate lint bless docs demo run deps install clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find build -name '*.d' 2>/dev/null)
