# SPDX-License-Identifier: LGPL-2.1-only
# xlpolicy: `make demo` shows it, `make check` tests it, `make help` lists the rest.

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
SYSCONFDIR ?= /etc
DATADIR    ?= $(PREFIX)/share/xlpolicy
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/xlpolicy
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions
UNITDIR    ?= $(PREFIX)/lib/systemd/system
INSTALL    ?= install
CC         ?= cc
AR         ?= ar
PYTHON     ?= /usr/bin/python3
CFLAGS     ?= -O2 -g

VERSION := $(shell cat VERSION)
Q       := $(if $(V),,@)
B       := build$(if $(SAN),/san)

# One source tree for every Xen from 4.14 on: ask libxl for the interface of that time.
XEN_CPPFLAGS := -DLIBXL_API_VERSION=0x041400
XEN_LIBS     := -lxlutil -lxenlight -lxenctrl -lxenstore -lxentoollog

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SANFLAG := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all)
# No contraction: a plan must not depend on whether the compiler fused a multiply and an add.
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -Ilibxlpolicy -DXLP_VERSION='"$(VERSION)"' \
              -DXLP_DATADIR='"$(DATADIR)"' $(XEN_CPPFLAGS) \
              $(WARN) -ffp-contract=off $(SANFLAG) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(SANFLAG) $(LDFLAGS)

LIB_SRC    := $(wildcard libxlpolicy/*.c libxlpolicy/*/*.c)
# What others may link with: the decisions alone, which need neither Xen nor a JSON library.
PUBLIC_SRC := $(filter-out libxlpolicy/host/% libxlpolicy/json/%,$(LIB_SRC))
DAEMON_SRC := $(wildcard daemon/*.c)
# The configuration file is read by the daemon and by `xlpolicy config check` alike.
CONFIG_SRC := daemon/config.c daemon/config_dom0.c daemon/config_scan.c daemon/config_text.c daemon/words.c
# So are the metrics written by both.
METRICS_SRC := daemon/metrics.c
TOOLS_SRC  := $(wildcard tools/*.c tools/pci/*.c) $(CONFIG_SRC) $(METRICS_SRC)
AGENT_SRC  := $(wildcard tools/guest-agent/*.c)
UNIT_SRC   := $(wildcard tests/unit/check_*.c tests/property/check_*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
BENCH_SRC  := $(wildcard tests/bench/*.c tests/bench/*/*.c)
MAN_POD    := $(wildcard docs/man/*.pod)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

LIB     := $(B)/libxlpolicy.a
SONAME  := libxlpolicy.so.0
PUBLIC  := $(B)/public/libxlpolicy.a $(B)/public/$(SONAME)
UNIT    := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))
FUZZ    := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(filter-out %/fuzz_main.c,$(FUZZ_SRC)))
PUBLIC_HEADERS := xlpolicy.h cpumap.h engine.h plan.h policy.h problems.h reason.h snapshot.h \
                  memory/report.h
PROGRAMS := $(if $(DAEMON_SRC),$(B)/xlpolicyd) $(if $(TOOLS_SRC),$(B)/xlpolicy) \
            $(if $(AGENT_SRC),$(B)/xlpolicy-guest-agent)

all: $(LIB) $(PUBLIC) $(PROGRAMS)

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	@echo '  AR    $@'
	$(Q)$(AR) rcs $@ $^

$(B)/public/libxlpolicy.a: $(call obj,$(PUBLIC_SRC))
	@mkdir -p $(@D)
	@rm -f $@
	@echo '  AR    $@'
	$(Q)$(AR) rcs $@ $^

$(B)/public/$(SONAME): $(patsubst %.c,$(B)/pic/%.o,$(PUBLIC_SRC)) $(B)/libxlpolicy.map
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) \
	    -Wl,--version-script,$(B)/libxlpolicy.map $(if $(SAN),,-Wl,-z,defs) -o $@ $(filter %.o,$^) -lm

$(B)/libxlpolicy.map: libxlpolicy/symbol-map $(addprefix libxlpolicy/,$(PUBLIC_HEADERS))
	@mkdir -p $(@D)
	@libxlpolicy/symbol-map $(addprefix libxlpolicy/,$(PUBLIC_HEADERS)) >$@.new && mv $@.new $@

$(B)/xlpolicyd: $(call obj,$(DAEMON_SRC)) $(LIB)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lyajl -lm

$(B)/xlpolicy: $(call obj,$(TOOLS_SRC)) $(LIB)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lpci -lyajl -lncurses -ltinfo -lm

# Static, so that one file can be copied into any guest. The address sanitizer cannot be.
AGENT_STATIC ?= $(if $(SAN),,-static)
$(B)/xlpolicy-guest-agent: $(call obj,$(AGENT_SRC))
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(AGENT_STATIC) -o $@ $^

$(B)/obj/%.o: %.c VERSION Makefile
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/pic/%.o: %.c VERSION Makefile
	@mkdir -p $(@D)
	@echo '  CC    $< (for the shared library)'
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -MMD -MP -c -o $@ $<

# The Xen adapter's hand in the laboratory's dom0.
$(B)/hosttool: $(B)/obj/tests/lab/hosttool.o $(LIB)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lyajl -lm

# A test program is one file, plus what its first line asks for: /* links: path.c ... */
$(B)/tests/%: $(B)/obj/tests/%.o $(LIB)
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(call obj,$(call links,tests/$*.c)) $(LIB) \
	    $(XEN_LIBS) -lpci -lcheck -lsubunit -lpthread -lrt -lyajl -lm
links = $(shell sed -n 's|^/\* links: \(.*\) \*/$$|\1|p' $(1))
$(foreach t,$(UNIT_SRC) $(FUZZ_SRC),$(eval $(B)/$(t:.c=): $(call obj,$(call links,$(t)))))

$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/fuzz_main.o $(LIB)
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lyajl -lm

-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRC) $(DAEMON_SRC) $(TOOLS_SRC) $(AGENT_SRC) $(UNIT_SRC) $(FUZZ_SRC) $(BENCH_SRC) tests/lab/hosttool.c))
-include $(patsubst %.c,$(B)/pic/%.d,$(PUBLIC_SRC))

# ---- tests ----

BUILD_DEPS := gcc libc6-dev make perl pkg-config libxen-dev libyajl-dev libpci-dev libncurses-dev
TEST_DEPS  := check bats git jq python3 qemu-system-x86 seabios busybox-static cpio kmod xz-utils bc \
              binutils librsvg2-bin pciutils tmux python3-jsonschema \
              ganeti-htools python3-prometheus-client insserv systemd \
              libspice-server1 libusb-1.0-0 libfdt1 libglib2.0-0 libpixman-1-0 libjpeg62-turbo

PROMTOOL   := build/unpacked/prometheus/usr/bin/promtool

deps:
	@tests/deps $(BUILD_DEPS) $(TEST_DEPS) $(DEB_DEPS)

# Where the tests find the programs under test.
export XLP_BUILD := $(B)
# Seconds: a test is to end, not to be fast. A busy machine must not fail it.
export CK_DEFAULT_TIMEOUT := 120

# What a fresh machine lacks is installed before anything is built.
check: deps
	@$(MAKE) --no-print-directory all test-programs lab-programs deb $(PROMTOOL)
	@tests/tap-run $(UNIT_RUNS) $(FUZZ_RUNS) $(SCENARIO_RUNS) $(PCI_RUNS) $(CLI_RUNS) \
	    -v $(PACKAGE_RUNS) $(LAB_RUNS)

unit-check: all test-programs $(PROMTOOL)
	@tests/tap-run $(UNIT_RUNS) $(FUZZ_RUNS) $(SCENARIO_RUNS) $(PCI_RUNS) $(CLI_RUNS)

lab-check: lab-programs deb
	@tests/tap-run -v $(LAB_RUNS)

# Does the laboratory itself work? For who changes it.
lab-selftest: lab-programs
	@tests/tap-run -v '$(PYTHON) tests/lab/check_lab.py'

demo: deps
	@$(MAKE) --no-print-directory lab-programs
	@$(PYTHON) tests/lab/demo.py

test-programs: $(UNIT) $(FUZZ)

# Debian has promtool only in a package that would start a server.
$(PROMTOOL):
	@tests/unpack prometheus build/unpacked/prometheus

# Guests run the agent without sanitizers, with which it would not be static.
lab-programs: all $(B)/hosttool
	$(if $(SAN),@$(MAKE) --no-print-directory SAN= build/xlpolicy-guest-agent)

UNIT_RUNS     := $(UNIT) tests/boundaries tests/library
PCI_RUNS      := tests/pci/run '$(PYTHON) -B tests/pci/check_lspci.py'
FUZZ_RUNS     := $(foreach f,$(FUZZ),'$(f) -runs=200000 -seed=1 tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $(f)))')
SCENARIO_RUNS := tests/scenarios/run
CLI_RUNS      := $(foreach t,$(wildcard tests/cli/*.bats),'bats --tap $(t)')
PACKAGE_RUNS  := tests/packages
LAB_RUNS      := $(foreach t,check_scenarios check_cpu check_memory check_adapter check_service,'$(PYTHON) tests/lab/$(t).py')

bench: $(B)/bench
	@$(B)/bench cpu
	@$(B)/bench memory

# What it costs itself: a daemon on a thousand simulated domains, and those who ask it.
bench-service: all
	@$(PYTHON) tests/bench/service.py

$(B)/bench: $(call obj,$(BENCH_SRC)) $(LIB)
	@echo '  LINK  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lm

# Not part of check: formatters and checkers differ from one release to the next.
LINT_DEPS := clang clang-format cppcheck shellcheck
C_FILES   := $(shell git ls-files '*.c' '*.h' 2>/dev/null)

lint:
	@tests/deps $(LINT_DEPS)
	clang-format --dry-run -Werror $(C_FILES)
	$(MAKE) --no-print-directory B=build/clang CC=clang all test-programs lab-programs
	cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr \
	    --suppress=missingIncludeSystem --std=c11 -Ilibxlpolicy $(filter %.c,$(C_FILES))
	shellcheck -x .ci/run tests/library tests/packages tests/deps tests/unpack tests/tap-run \
	    tests/boundaries tests/scenarios/run tests/pci/run tests/pci/transcript \
	    daemon/init/xlpolicyd tools/xlpolicy.bash tools/guest-agent/xlpolicy-guest-agent.init
	podchecker $(MAN_POD)

# ---- installing ----

man_page = $(MANDIR)/man$(1)/$(2).$(1)
man_section = $(shell sed -n 's/^=for man-section \([0-9]\)$$/\1/p' docs/man/$(1).pod)

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/xlpolicy \
	    $(DESTDIR)$(SYSCONFDIR)/xlpolicy $(DESTDIR)$(SYSCONFDIR)/init.d \
	    $(DESTDIR)$(SYSCONFDIR)/default $(DESTDIR)$(UNITDIR) $(DESTDIR)$(DOCDIR)/examples
	$(INSTALL) -m 755 $(B)/xlpolicyd $(B)/xlpolicy $(DESTDIR)$(SBINDIR)
	$(INSTALL) -m 755 $(B)/xlpolicy-guest-agent $(DESTDIR)$(SBINDIR)
	$(INSTALL) -m 644 $(PUBLIC) $(DESTDIR)$(LIBDIR)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libxlpolicy.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' \
	    libxlpolicy/xlpolicy.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/xlpolicy.pc
	for h in $(PUBLIC_HEADERS); do \
	    $(INSTALL) -D -m 644 libxlpolicy/$$h $(DESTDIR)$(INCLUDEDIR)/xlpolicy/$$h || exit 1; done
	test -e $(DESTDIR)$(SYSCONFDIR)/xlpolicy/xlpolicyd.conf || \
	    $(INSTALL) -m 644 daemon/xlpolicyd.conf $(DESTDIR)$(SYSCONFDIR)/xlpolicy
	test -e $(DESTDIR)$(SYSCONFDIR)/default/xlpolicyd || \
	    $(INSTALL) -m 644 daemon/init/xlpolicyd.default $(DESTDIR)$(SYSCONFDIR)/default/xlpolicyd
	$(INSTALL) -m 755 daemon/init/xlpolicyd $(DESTDIR)$(SYSCONFDIR)/init.d
	sed 's|@SBINDIR@|$(SBINDIR)|' daemon/init/xlpolicyd.service \
	    > $(DESTDIR)$(UNITDIR)/xlpolicyd.service
	$(INSTALL) -D -m 644 tools/xlpolicy.bash $(DESTDIR)$(COMPDIR)/xlpolicy
	$(INSTALL) -m 644 docs/examples/*.c $(DESTDIR)$(DOCDIR)/examples
	$(INSTALL) -m 644 README.md $(wildcard docs/*.md docs/*.json) $(DESTDIR)$(DOCDIR)
	$(INSTALL) -d $(DESTDIR)$(DATADIR)/xen-configs
	$(INSTALL) -m 644 $(wildcard xen-configs/*) $(DESTDIR)$(DATADIR)/xen-configs
	$(foreach m,$(basename $(notdir $(MAN_POD))),\
	    $(INSTALL) -d $(DESTDIR)$(MANDIR)/man$(call man_section,$(m)) && \
	    pod2man --utf8 -c "Xen resource manager" -r "xlpolicy $(VERSION)" \
	        -s $(call man_section,$(m)) -n $(shell echo $(m) | tr a-z A-Z) docs/man/$(m).pod \
	        > $(DESTDIR)$(call man_page,$(call man_section,$(m)),$(m)) &&) true

# The configuration stays: it is the operator's.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,xlpolicyd xlpolicy xlpolicy-guest-agent) \
	    $(addprefix $(DESTDIR)$(LIBDIR)/,libxlpolicy.a libxlpolicy.so $(SONAME) pkgconfig/xlpolicy.pc) \
	    $(DESTDIR)$(SYSCONFDIR)/init.d/xlpolicyd \
	    $(DESTDIR)$(UNITDIR)/xlpolicyd.service $(DESTDIR)$(COMPDIR)/xlpolicy \
	    $(foreach m,$(basename $(notdir $(MAN_POD))),$(DESTDIR)$(call man_page,$(call man_section,$(m)),$(m)))
	rm -rf $(DESTDIR)$(INCLUDEDIR)/xlpolicy $(DESTDIR)$(DOCDIR) $(DESTDIR)$(DATADIR)

# ---- packages ----

DEB_DEPS := debhelper dpkg-dev lintian mmdebstrap
DEB_DIR  := build/deb

# In a copy, since dpkg-buildpackage works in its tree and leaves what it makes beside it.
deb:
	@tests/deps $(BUILD_DEPS) $(DEB_DEPS)
	@rm -rf $(DEB_DIR)/xlpolicy && mkdir -p $(DEB_DIR)/xlpolicy && rm -f $(DEB_DIR)/*.deb
	@tar -c --exclude=./build --exclude=./.git . | tar -x -C $(DEB_DIR)/xlpolicy
	cd $(DEB_DIR)/xlpolicy && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS dpkg-buildpackage -b -us -uc -j2 \
	    >../build.log 2>&1 || { tail -30 ../build.log >&2; exit 1; }
	@rm -rf $(DEB_DIR)/xlpolicy
	@ls $(DEB_DIR)/*.deb

# Builds the packages, has lintian judge them, and installs and removes them in a system made for it.
deb-check: deb
	@tests/tap-run -v $(PACKAGE_RUNS)

help:
	@echo 'make demo       boot a real Xen host with eight guests and watch it being balanced'
	@echo 'make check      the tests, real Xen included (installs what is missing)'
	@echo 'make unit-check the tests that need no Xen'
	@echo 'make lab-check  the tests on real Xen under QEMU'
	@echo 'make lab-selftest  the tests of the laboratory itself'
	@echo 'make            build everything into build/ (SAN=1: with sanitizers; V=1: show commands)'
	@echo 'make deb        the Debian packages, into build/deb; make deb-check tests them'
	@echo 'make bench      xlpolicy beside other policies: time, moves, lost work (a few minutes)'
	@echo 'make bench-service  what the daemon and the commands cost on a thousand domains (a minute)'
	@echo 'make lint       formatting, a second compiler, static checks'
	@echo 'make deps       install the Debian packages that building and testing need'
	@echo 'make install    honours DESTDIR, PREFIX, SYSCONFDIR, UNITDIR; make uninstall undoes it'

clean:
	rm -rf build

# `make -j2 clean unit-check` must not take away what it tests.
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: all check unit-check lab-check lab-selftest demo bench bench-service lint deb deb-check deps install uninstall help clean test-programs lab-programs
.SECONDARY:
