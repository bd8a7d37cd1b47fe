# SPDX-License-Identifier: ISC
# skypty: GNU make, pkg-config.  Everything is built below obj/; the programs
# stand in the top folder and run from there without being installed.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/skypty
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/skypty
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
SYSCONFDIR ?= /etc
RUNSTATEDIR ?= /run
SYSTEMDUNITDIR ?= $(or $(shell pkg-config \
	--variable=systemdsystemunitdir systemd 2>/dev/null),\
	$(PREFIX)/lib/systemd/system)
SYSUSERSDIR ?= $(or $(shell pkg-config \
	--variable=sysusersdir systemd 2>/dev/null),$(PREFIX)/lib/sysusers.d)
# The spellings of the GNU coding standards serve too.
ifdef sbindir
SBINDIR = $(sbindir)
endif
ifdef bindir
BINDIR = $(bindir)
endif
ifdef libexecdir
LIBEXECDIR = $(libexecdir)/skypty
endif
ifdef mandir
MANDIR = $(mandir)
endif
ifdef sysconfdir
SYSCONFDIR = $(sysconfdir)
endif
ifdef prefix
PREFIX = $(prefix)
endif

CC = gcc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CLANG ?= clang
CLANG_FORMAT ?= clang-format

OPT ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual \
	-Wmissing-prototypes -Wstrict-prototypes -Wvla -Wformat=2 \
	-Wundef -Wwrite-strings
HARDEN = -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
LDHARDEN = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
PIE = -pie
OBJ = obj

ifeq ($(SANITIZE),1)
OBJ = obj-san
HARDEN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LDHARDEN = -fsanitize=address,undefined
OPT = -O1 -g
endif
BIN ?= .

VERSION = 0.1.0
DEFS = -D_GNU_SOURCE -DLIBBSD_OVERLAY -DLIBBSD_OPENBSD_VIS \
	-DSKYPTY_SANITIZE=$(if $(filter 1,$(SANITIZE)),1,0) \
	-DSKYPTY_GCRYPT=$(GCRYPT) \
	-DSKYPTY_VERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' \
	-DRUNSTATEDIR='"$(RUNSTATEDIR)"' -DSBINDIR='"$(SBINDIR)"' \
	-DBINDIR='"$(BINDIR)"' -DLIBEXECDIR='"$(LIBEXECDIR)"'

COMMON_PC = libsodium libsecp256k1 yajl libbsd-overlay

# Libraries go into the programs: a monitor and a child for each connection
# start sooner and dirty less memory without their relocations.  libc stays
# shared, for the accounts that it looks up.  STATIC_LIBS=no links them all as
# shared objects, as does a system that has no archives.
STATIC_LIBS ?= $(if $(filter 1,$(SANITIZE)),no,yes)
has_archive = $(findstring /,$(shell $(CC) -print-file-name=lib$(1).a))
ifeq ($(STATIC_LIBS),yes)
lib = $(if $(call has_archive,$(1)),-Wl$(comma)-Bstatic -l$(1) \
	-Wl$(comma)-Bdynamic,-l$(2))
else
lib = -l$(2)
endif
comma = ,
LIB_SODIUM := $(call lib,sodium,sodium)
LIB_SECP := $(call lib,secp256k1,secp256k1)
LIB_YAJL := $(call lib,yajl_s,yajl)
LIB_EVENT := $(call lib,event_core,event_core)
LIB_SECCOMP := $(call lib,seccomp,seccomp)
# Faster than libsodium for bulk, where it is there.
GCRYPT ?= $(if $(shell $(PKG_CONFIG) --exists libgcrypt && echo yes),1,0)
ifeq ($(GCRYPT),1)
LIB_GCRYPT := $(call lib,gcrypt,gcrypt) $(call lib,gpg-error,gpg-error)
endif
LIB_BSD := $(call lib,bsd,bsd) $(call lib,md,md)

LIBS_skyptyd = $(LIB_SODIUM) $(LIB_SECP) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP) $(LIB_BSD)
LIBS_skyptyd-monitor = $(LIB_SODIUM) $(LIB_SECP) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_BSD)
LIBS_skyptyd-net = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP)
LIBS_skyptyd-dmsg = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP) $(LIB_BSD)
# TLS is in a program of its own, for a discovery over https.
SSL ?= $(if $(shell $(PKG_CONFIG) --exists libssl && echo yes),1,0)
ifeq ($(SSL),1)
TLS_PROGRAM = skypty-tls
LIBS_skypty-tls = $(shell $(PKG_CONFIG) --libs libssl libcrypto) $(LIB_SECCOMP)
endif
# The browser terminal, where libwebsockets is.
HTTP ?= $(if $(shell $(PKG_CONFIG) --exists libwebsockets && echo yes),1,0)
ifeq ($(HTTP),1)
HTTP_PROGRAM = skyptyd-http
LIBS_skyptyd-http = $(shell $(PKG_CONFIG) --libs libwebsockets libssl) \
	$(LIB_SODIUM) $(LIB_YAJL) $(LIB_SECCOMP) $(LIB_BSD)
endif
LIBS_skypty = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_SECP) $(LIB_YAJL) $(LIB_BSD)
LIBS_test = $(shell $(PKG_CONFIG) --libs $(COMMON_PC) libevent_core \
	libseccomp cmocka) $(if $(filter 1,$(GCRYPT)),-lgcrypt -lgpg-error)

CPPFLAGS_ALL = -I. $(DEFS) $(shell $(PKG_CONFIG) --cflags $(COMMON_PC) \
	libevent_core libseccomp) $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(OPT) -fPIE $(WARN) $(HARDEN) \
	-ffile-prefix-map=$(CURDIR)=. $(CFLAGS)

COMMON_SRC = $(wildcard common/*.c)
NET_SRC = $(wildcard daemon/net*.c)
CONFINED_SRC = daemon/sandbox.c daemon/welcome.c
SRC_skyptyd-net = $(NET_SRC) $(CONFINED_SRC)
DMSG_SRC = $(wildcard daemon/dmsg*.c)
HTTP_SRC = $(wildcard daemon/http*.c)
SRC_skyptyd-dmsg = $(DMSG_SRC) $(CONFINED_SRC)
SRC_skyptyd = $(filter-out $(NET_SRC) $(DMSG_SRC) $(HTTP_SRC) daemon/welcome.c,$(wildcard daemon/*.c))
SRC_skyptyd-monitor = $(wildcard monitor/*.c)
SRC_skypty = $(wildcard client/*.c)
SRC_skyptyd-http = $(HTTP_SRC) daemon/sandbox.c
SRC_skypty-tls = tls/skypty-tls.c daemon/sandbox.c
PROGRAMS = skyptyd skyptyd-monitor skyptyd-net skyptyd-dmsg skypty $(TLS_PROGRAM) $(HTTP_PROGRAM)

.DEFAULT_GOAL = all
include web/web.mk
OBJS_skyptyd-http = $(WEB_OBJS)

COMMON_LIB = $(OBJ)/libcommon.a
objs = $(patsubst %.c,$(OBJ)/%.o,$(1))

# Their header is of libwebsockets.
NEED_HTTP = $(addprefix regress/unit/,test_http_auth.c test_http_origin.c \
	test_http_text.c)
UNIT_SRC = $(filter-out $(if $(filter 1,$(HTTP)),,$(NEED_HTTP)),\
	$(wildcard regress/unit/test_*.c))
UNIT = $(patsubst %.c,$(OBJ)/%,$(UNIT_SRC))
FUZZ_SRC = $(wildcard regress/fuzz/fuzz_*.c)
FUZZ = $(patsubst regress/fuzz/%.c,obj-fuzz/%,$(FUZZ_SRC))
C_FILES = $(wildcard common/*.[ch] monitor/*.[ch] daemon/*.[ch] client/*.[ch] \
	tls/*.[ch] web/*.[ch] \
	regress/*/*.[ch])
SH_FILES = $(wildcard contrib/*.sh contrib/completion/*.bash regress/*.sh \
	regress/*/*.sh web/*.sh)
MAN_PAGES = daemon/skyptyd.8 daemon/skyptyd-http.8 client/skypty.1 daemon/skypty.json.5

all: $(addprefix $(BIN)/,$(PROGRAMS)) $(BIN)/skypty-ssh

$(COMMON_LIB): $(call objs,$(COMMON_SRC))
	rm -f $@ && $(AR) rcs $@ $^

$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

define program
$(BIN)/$(1): $(call objs,$(SRC_$(1))) $(OBJS_$(1)) $(COMMON_LIB)
	@mkdir -p $$(@D)
	$$(CC) $(2) $$(CFLAGS_ALL) $$(LDHARDEN) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(eval $(call program,skyptyd,$(PIE)))
$(eval $(call program,skyptyd-monitor,$(PIE)))
$(eval $(call program,skyptyd-net,$(PIE)))
$(eval $(call program,skyptyd-dmsg,$(PIE)))
$(eval $(call program,skypty,$(PIE)))
$(eval $(call program,skypty-tls,$(PIE)))
$(eval $(call program,skyptyd-http,$(PIE)))

# For programs that want the name of an ssh.
$(BIN)/skypty-ssh: $(BIN)/skypty
	ln -sf skypty $@

# --- tests ---------------------------------------------------------------

# A test may need objects of a program: UNIT_OBJ_test_NAME names their sources.
include $(wildcard regress/unit/unit.mk)

.SECONDEXPANSION:
$(OBJ)/regress/unit/test_%: $(OBJ)/regress/unit/test_%.o \
	$$(call objs,$$(UNIT_OBJ_test_$$*)) $(COMMON_LIB)
	$(CC) $(PIE) $(CFLAGS_ALL) $(LDHARDEN) -o $@ $^ $(LIBS_test)

unit: $(UNIT)

# Small programs that system tests put in a real program's place.
SYS_HELPERS = $(patsubst regress/sys/%.c,$(OBJ)/regress/sys/%,\
	$(wildcard regress/sys/*.c))
$(OBJ)/regress/sys/%: $(OBJ)/regress/sys/%.o $(OBJ)/daemon/sandbox.o \
	$(OBJ)/daemon/http_confine.o $(COMMON_LIB)
	$(CC) $(PIE) $(CFLAGS_ALL) $(LDHARDEN) -o $@ $^ $(LIBS_test)

check: all unit $(SYS_HELPERS)
	OBJ=$(OBJ) BIN=$(BIN) sh regress/check.sh

interop: all
	sh regress/interop/run.sh

# Parsers outside of common/ that are fuzzed.
FUZZ_EXTRA = monitor/command.c

obj-fuzz/%: regress/fuzz/%.c $(COMMON_SRC) $(FUZZ_EXTRA) $(wildcard common/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS_ALL) -std=c11 -O1 -g $(WARN) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $< $(COMMON_SRC) $(FUZZ_EXTRA) $(LIBS_test)

web-check: all
	BIN=$(BIN) OBJ=$(OBJ) sh regress/web/run.sh

fuzz: $(FUZZ)
	sh regress/fuzz/run.sh

bench: all
	sh regress/bench/run.sh

format:
	$(CLANG_FORMAT) -i $(C_FILES)

lint:
	$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)
	shellcheck -x -e SC2317 $(SH_FILES)
	! mandoc -T lint -W style $(MAN_PAGES) 2>/dev/null | \
		grep -v 'referenced manual not found'

# --- installation --------------------------------------------------------

install: all
	$(INSTALL) -D -m 755 $(BIN)/skyptyd $(DESTDIR)$(SBINDIR)/skyptyd
	$(INSTALL) -D -m 755 $(BIN)/skypty $(DESTDIR)$(BINDIR)/skypty
	ln -sf skypty $(DESTDIR)$(BINDIR)/skypty-ssh
	$(INSTALL) -D -m 755 $(BIN)/skyptyd-monitor \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-monitor
	$(INSTALL) -D -m 755 $(BIN)/skyptyd-net \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-net
	$(INSTALL) -D -m 755 $(BIN)/skyptyd-dmsg \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-dmsg
	for p in $(TLS_PROGRAM) $(HTTP_PROGRAM); do $(INSTALL) -m 755 $(BIN)/$$p \
		$(DESTDIR)$(LIBEXECDIR)/$$p || exit 1; done
	$(INSTALL) -D -m 644 daemon/skyptyd.8 $(DESTDIR)$(MANDIR)/man8/skyptyd.8
	$(INSTALL) -D -m 644 daemon/skyptyd-http.8 \
		$(DESTDIR)$(MANDIR)/man8/skyptyd-http.8
	$(INSTALL) -D -m 644 client/skypty.1 $(DESTDIR)$(MANDIR)/man1/skypty.1
	ln -sf skypty.1 $(DESTDIR)$(MANDIR)/man1/skypty-ssh.1
	$(INSTALL) -D -m 644 daemon/skypty.json.5 \
		$(DESTDIR)$(MANDIR)/man5/skypty.json.5
	$(INSTALL) -D -m 644 etc/skypty.json.example \
		$(DESTDIR)$(DOCDIR)/skypty.json.example
	$(INSTALL) -D -m 644 PROTOCOL $(DESTDIR)$(DOCDIR)/PROTOCOL
	$(INSTALL) -D -m 644 contrib/completion/skypty.bash \
		$(DESTDIR)$(BASHCOMPDIR)/skypty
	ln -sf skypty $(DESTDIR)$(BASHCOMPDIR)/skypty-ssh
	$(INSTALL) -D -m 644 contrib/systemd/skypty.sysusers \
		$(DESTDIR)$(SYSUSERSDIR)/skypty.conf
	$(INSTALL) -d $(DESTDIR)$(SYSTEMDUNITDIR)
	for u in skyptyd.service skyptyd-dmsg.service skyptyd-http.service \
	    skyptyd.socket \
	    skyptyd-inetd.socket skyptyd-inetd@.service; do \
		sed -e 's|@SBINDIR@|$(SBINDIR)|' \
		    -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' \
		    contrib/systemd/$$u.in \
		    >$(DESTDIR)$(SYSTEMDUNITDIR)/$$u && \
		chmod 644 $(DESTDIR)$(SYSTEMDUNITDIR)/$$u || exit 1; \
	done

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/skyptyd $(DESTDIR)$(BINDIR)/skypty \
		$(DESTDIR)$(BINDIR)/skypty-ssh \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-monitor \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-net \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-dmsg \
		$(DESTDIR)$(LIBEXECDIR)/skypty-tls \
		$(DESTDIR)$(LIBEXECDIR)/skyptyd-http \
		$(DESTDIR)$(MANDIR)/man8/skyptyd.8 \
		$(DESTDIR)$(MANDIR)/man8/skyptyd-http.8 \
		$(DESTDIR)$(MANDIR)/man1/skypty.1 \
		$(DESTDIR)$(MANDIR)/man1/skypty-ssh.1 \
		$(DESTDIR)$(MANDIR)/man5/skypty.json.5 \
		$(DESTDIR)$(DOCDIR)/skypty.json.example \
		$(DESTDIR)$(DOCDIR)/PROTOCOL \
		$(DESTDIR)$(BASHCOMPDIR)/skypty \
		$(DESTDIR)$(BASHCOMPDIR)/skypty-ssh \
		$(DESTDIR)$(SYSUSERSDIR)/skypty.conf \
		$(DESTDIR)$(SYSTEMDUNITDIR)/skyptyd.service \
		$(DESTDIR)$(SYSTEMDUNITDIR)/skyptyd-dmsg.service \
		$(DESTDIR)$(SYSTEMDUNITDIR)/skyptyd-http.service \
		$(DESTDIR)$(SYSTEMDUNITDIR)/skyptyd.socket \
		$(DESTDIR)$(SYSTEMDUNITDIR)/skyptyd-inetd.socket \
		$(DESTDIR)$(SYSTEMDUNITDIR)/skyptyd-inetd@.service
	-rmdir $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)

clean:
	rm -rf obj obj-san obj-fuzz obj-clang web/node_modules regress/web/node_modules \
		$(addprefix $(BIN)/,$(PROGRAMS) skypty-ssh)

.PHONY: all unit check interop web-check fuzz bench format lint install uninstall clean
.SECONDARY:
-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
