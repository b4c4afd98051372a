# SPDX-License-Identifier: LGPL-2.1-only
# xlpolicy: `make demo` shows it, `make check` tests it, `make help` lists the rest.

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
SYSCONFDIR ?= /etc
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share/xlpolicy
DOCDIR     ?= $(PREFIX)/share/doc/xlpolicy
INSTALL    ?= install
CC         ?= cc
AR         ?= ar
PYTHON     ?= /usr/bin/python3
CFLAGS     ?= -O2 -g

VERSION := $(shell cat VERSION)
B       := build$(if $(SAN),/san)

# One source tree for every Xen from 4.14 on: ask libxl for the interface of that time.
XEN_CPPFLAGS := -DLIBXL_API_VERSION=0x041400
XEN_LIBS     := -lxlutil -lxenlight -lxenctrl -lxenstore -lxentoollog

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SANFLAG := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
comma   := ,
# No contraction: a plan must not depend on whether the compiler fused a multiply and an add.
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -Ilibxlpolicy -DXLP_VERSION='"$(VERSION)"' $(XEN_CPPFLAGS) \
              $(WARN) -ffp-contract=off $(SANFLAG) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(SANFLAG) $(LDFLAGS)

LIB_SRC    := $(wildcard libxlpolicy/*.c libxlpolicy/*/*.c)
DAEMON_SRC := $(wildcard daemon/*.c)
TOOLS_SRC  := $(wildcard tools/*.c tools/pci/*.c)
AGENT_SRC  := $(wildcard tools/guest-agent/*.c)
UNIT_SRC   := $(wildcard tests/unit/check_*.c tests/property/check_*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
MAN_POD    := $(wildcard docs/man/*.pod)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

LIB     := $(B)/libxlpolicy.a
UNIT    := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))
FUZZ    := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(filter-out %/fuzz_main.c,$(FUZZ_SRC)))
PROGRAMS := $(if $(DAEMON_SRC),$(B)/xlpolicyd) $(if $(TOOLS_SRC),$(B)/xlpolicy) \
            $(if $(AGENT_SRC),$(B)/xlpolicy-guest-agent)

all: $(LIB) $(PROGRAMS)

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/xlpolicyd: $(call obj,$(DAEMON_SRC)) $(LIB)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lyajl -lm

$(B)/xlpolicy: $(call obj,$(TOOLS_SRC)) $(LIB)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lyajl -lm

# Static, so that one file can be copied into any guest. The address sanitizer cannot be.
$(B)/xlpolicy-guest-agent: $(call obj,$(AGENT_SRC))
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(if $(SAN),,-static) -o $@ $^

$(B)/obj/%.o: %.c VERSION Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# A test program is one file, plus what its first line asks for: /* links: path.c ... */
$(B)/tests/%: $(B)/obj/tests/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(call obj,$(call links,tests/$*.c)) $(LIB) \
	    $(XEN_LIBS) -lcheck -lsubunit -lpthread -lrt -lyajl -lm
links = $(shell sed -n 's|^/\* links: \(.*\) \*/$$|\1|p' $(1))
$(foreach t,$(UNIT_SRC),$(eval $(B)/$(t:.c=): $(call obj,$(call links,$(t)))))

$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/fuzz_main.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(XEN_LIBS) -lyajl -lm

-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRC) $(DAEMON_SRC) $(TOOLS_SRC) $(AGENT_SRC) $(UNIT_SRC) $(FUZZ_SRC)))

clean:
	rm -rf build

.PHONY: all clean
.SECONDARY:
