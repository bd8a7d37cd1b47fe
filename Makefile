# SPDX-License-Identifier: ISC
# skypty: GNU make, pkg-config.  Everything is built below obj/; the programs
# stand in the top folder and run from there without being installed.

# Places: PREFIX=/opt/x, and as well the spellings of the GNU coding standards,
# prefix=/opt/x.  Of the latter, libexecdir is the folder above ours.
# $(call place,NAME,spelling,default)
define place
$(1) ?= $(3)
ifneq ($(origin $(2)),undefined)
$(1) = $$($(2))$(4)
endif
endef
$(eval $(call place,PREFIX,prefix,/usr/local))
$(eval $(call place,BINDIR,bindir,$$(PREFIX)/bin))
$(eval $(call place,SBINDIR,sbindir,$$(PREFIX)/sbin))
$(eval $(call place,LIBEXECDIR,libexecdir,$$(PREFIX)/libexec/skypty,/skypty))
$(eval $(call place,DATADIR,datarootdir,$$(PREFIX)/share))
$(eval $(call place,DATADIR,datadir,$$(DATADIR)))
$(eval $(call place,MANDIR,mandir,$$(DATADIR)/man))
$(eval $(call place,DOCDIR,docdir,$$(DATADIR)/doc/skypty))
$(eval $(call place,SYSCONFDIR,sysconfdir,/etc))
$(eval $(call place,RUNSTATEDIR,runstatedir,/run))
$(eval $(call place,LOCALSTATEDIR,localstatedir,/var))
# PAM reads no other place; elsewhere its file lies ready.
PAMDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc/pam.d,$(DOCDIR)/pam.d)
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
# systemd reads both of these below /usr and /usr/local; below /usr it says
# itself where.  Elsewhere they lie ready for systemctl link.
SYSTEMDUNITDIR ?= $(call systemd_dir,systemdsystemunitdir,systemd/system)
SYSUSERSDIR ?= $(call systemd_dir,sysusersdir,sysusers.d)
systemd_dir = $(or $(if $(filter /usr,$(PREFIX)),$(shell \
	$(PC) --variable=$(1) systemd 2>/dev/null)),$(PREFIX)/lib/$(2))

CC = gcc
# Of the compiler's target, so that CC alone is enough to build for another.
ifeq ($(origin AR),default)
AR = $(call once,AR,$(or $(shell $(CC) -print-prog-name=ar),ar))
endif
PKG_CONFIG ?= $(call once,PKG_CONFIG,$(or $(shell \
	command -v $$($(CC) -dumpmachine)-pkg-config),pkg-config))
INSTALL ?= install
CLANG ?= clang
# Releases differ in how they read .clang-format: this one's way is ours.
CLANG_FORMAT_RELEASE = 14
CLANG_FORMAT ?= $(call once,CLANG_FORMAT,$(or $(notdir $(shell command -v \
	clang-format-$(CLANG_FORMAT_RELEASE))),clang-format))
formats_our_way = $(filter $(CLANG_FORMAT_RELEASE).%,\
	$(shell $(CLANG_FORMAT) --version))

OPT ?= -O2 -g
# A callback's type says what it is given, needed or not.
WARN = -Wall -Wextra -Wno-unused-parameter -Wshadow -Wpointer-arith \
	-Wcast-qual -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wformat=2 \
	-Wundef -Wwrite-strings -Werror=implicit-function-declaration \
	-Werror=incompatible-pointer-types -Werror=int-conversion
HARDEN = $(HARDEN_CC) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
# What the compiler has of these for its target.
HARDEN_CC = $(call once,HARDEN_CC,$(call cc_flags,hardening,int no_file;,\
	-fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-mbranch-protection=standard))
LDHARDEN = -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
PIE = -pie
OBJ = obj
# A variable that costs something: $(call once,NAME,text) replaces its own
# definition, so that the text is expanded once a run, and only if it is used.
once = $(eval $(1) := $$(2))$($(1))
cc_flags = $(shell sh contrib/build/flags.sh $(OBJ)/$(1).cc '$(2)' '$(3)' \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(4))

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
	-D_FILE_OFFSET_BITS=64 $(TIME_BITS) \
	-DSKYPTY_SANITIZE=$(if $(filter 1,$(SANITIZE)),1,0) \
	-DSKYPTY_GCRYPT=$(GCRYPT) -DSKYPTY_PAM=$(PAM) -DSKYPTY_VERSION='"$(VERSION)"'
# Time of 64 bits also where a long has 32, if libevent's calls have it, too.
TIME_BITS = $(call once,TIME_BITS,$(call cc_flags,time,$(TIME_PROGRAM),\
	-D_TIME_BITS=64,$(PC_CFLAGS)))
TIME_PROGRAM = \#define _FILE_OFFSET_BITS 64\n\#include <event2/event-config.h>\n\#include <time.h>\n_Static_assert(sizeof(time_t) == EVENT__SIZEOF_TIME_T, "");

# --- libraries -----------------------------------------------------------

COMMON_PC = libsodium libsecp256k1 yajl libbsd-overlay
BUILD_PC = $(COMMON_PC) libevent_core libseccomp

# pkg-config, with what was given to make for it.
PC = $(foreach v,PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR,\
	$(if $($(v)),$(v)='$($(v))')) $(PKG_CONFIG)
has_pc = $(shell $(PC) --exists $(1) 2>/dev/null && echo yes)
# $(call pc,--cflags,NAME...) stops with the names of what is not there.
pc = $(call need,$(2))$(shell $(PC) $(1) $(2))
need = $(if $(call has_pc,$(1)),,$(call lack,$(strip \
	$(foreach p,$(1),$(if $(call has_pc,$(p)),,$(p))))))
lack = $(error $(if $(shell command -v $(firstword $(PKG_CONFIG))),$(PKG_CONFIG) does not \
	know: $(1).  On Debian: apt-get install $(sort \
	$(foreach p,$(1),$(or $(DEBIAN_$(p)),$(p)-dev))),there is no $(PKG_CONFIG)))
DEBIAN_yajl = libyajl-dev
DEBIAN_libbsd-overlay = libbsd-dev
DEBIAN_libevent_core = libevent-dev
DEBIAN_libgcrypt = libgcrypt20-dev
DEBIAN_libcrypto = libssl-dev
DEBIAN_cmocka = libcmocka-dev
DEBIAN_pam = libpam0g-dev
DEBIAN_vterm = libvterm-dev
optional = $(call once,$(1),$(if $(call has_pc,$(2)),1,0))

# Libraries go into the programs: a monitor and a child for each connection
# start sooner and dirty less memory without their relocations.  libc stays
# shared, for the accounts that it looks up.  STATIC_LIBS=no links them all as
# shared objects, as does a system that has no archives.
STATIC_LIBS ?= $(if $(filter 1,$(SANITIZE)),no,yes)
has_archive = $(findstring /,$(shell \
	$(CC) $(CFLAGS) $(LDFLAGS) -print-file-name=lib$(1).a))
ifeq ($(STATIC_LIBS),yes)
lib = $(if $(call has_archive,$(1)),-Wl$(comma)-Bstatic -l$(1) \
	-Wl$(comma)-Bdynamic,-l$(2))
else
lib = -l$(2)
endif
comma = ,
LIB_SODIUM = $(call once,LIB_SODIUM,$(call lib,sodium,sodium))
LIB_SECP = $(call once,LIB_SECP,$(call lib,secp256k1,secp256k1))
LIB_YAJL = $(call once,LIB_YAJL,$(call lib,yajl_s,yajl))
LIB_EVENT = $(call once,LIB_EVENT,$(call lib,event_core,event_core))
LIB_SECCOMP = $(call once,LIB_SECCOMP,$(call lib,seccomp,seccomp))
# ML-KEM is libsodium's where it has it.
MLKEM ?= $(call optional,MLKEM,"libsodium >= 1.0.22")
# Faster than libsodium for bulk, where it is there.
GCRYPT ?= $(call optional,GCRYPT,libgcrypt)
LIB_GCRYPT = $(call once,LIB_GCRYPT,$(if $(filter 1,$(GCRYPT)),$(call \
	need,libgcrypt)$(call lib,gcrypt,gcrypt) \
	$(call lib,gpg-error,gpg-error)))
# What a session's modules are run by, where it is there.
PAM ?= $(call optional,PAM,pam)
# The screen of a session that is kept, by libvterm where that is asked for:
# 0.1.4 of Debian 12 can be made to crash by what a program prints.
VTERM ?= 0
LIB_VTERM = $(call once,LIB_VTERM,$(if $(filter 1,$(VTERM)),$(call \
	need,vterm)$(call lib,vterm,vterm)))
LIB_BSD = $(call once,LIB_BSD,$(call lib,bsd,bsd) $(call lib,md,md))
# Where they are, if not where the compiler looks by itself.
LIB_DIRS = $(call once,LIB_DIRS,$(call pc,--libs-only-L,$(BUILD_PC)))

LIBS_skyptyd = $(LIB_SODIUM) $(LIB_SECP) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP) $(LIB_BSD)
LIBS_skyptyd-monitor = $(LIB_SODIUM) $(LIB_SECP) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP) $(LIB_BSD)
LIBS_skyptyd-dmsg-monitor = $(LIBS_skyptyd-monitor)
LIBS_skyptyd-net = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP)
LIBS_skyptyd-dmsg = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_YAJL) $(LIB_EVENT) \
	$(LIB_SECCOMP) $(LIB_BSD)
LIBS_skyptyd-connect = $(LIB_SODIUM) $(LIB_SECCOMP)
LIBS_skypty-forward = $(LIB_SODIUM) $(LIB_SECCOMP) $(LIB_BSD)
LIBS_skypty-record = $(LIB_SODIUM) $(LIB_SECCOMP)
LIBS_skyptyd-http-monitor = $(LIB_SODIUM) $(LIB_EVENT) $(LIB_BSD)
# TLS is in a program of its own, for a discovery over https.
SSL ?= $(call optional,SSL,libssl libcrypto)
TLS_PROGRAM = $(if $(filter 1,$(SSL)),skypty-tls)
LIBS_skypty-tls = $(call pc,--libs,libssl libcrypto) $(LIB_SECCOMP)
# The browser terminal, where libwebsockets is.
HTTP ?= $(call optional,HTTP,libwebsockets libssl)
HTTP_PROGRAM = $(if $(filter 1,$(HTTP)),skyptyd-http)
LIBS_skyptyd-http = $(call pc,--libs,libwebsockets libssl libcrypto) \
	$(LIB_SODIUM) $(LIB_YAJL) $(LIB_SECCOMP) $(LIB_BSD)
LIBS_skypty-keeper = $(LIB_SODIUM) $(LIB_VTERM) $(LIB_BSD)
LIBS_skypty-agent = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_SECP) $(LIB_SECCOMP) $(LIB_BSD)
LIBS_skypty = $(LIB_SODIUM) $(LIB_GCRYPT) $(LIB_SECP) $(LIB_YAJL) $(LIB_BSD)
LIBS_test = $(call once,LIBS_test,$(call pc,--libs,$(BUILD_PC) cmocka) \
	$(if $(filter 1,$(GCRYPT)),-lgcrypt -lgpg-error) \
	$(if $(filter 1,$(VTERM)),-lvterm))

PC_CFLAGS = $(call once,PC_CFLAGS,$(call pc,--cflags,$(BUILD_PC)))
CPPFLAGS_SAME = $(DEFS) $(PC_CFLAGS) $(CPPFLAGS)
CPPFLAGS_ALL = -I. -I$(OBJ) $(CPPFLAGS_SAME)
CFLAGS_ALL = -std=c11 $(OPT) -fPIE -ffunction-sections -fdata-sections $(WARN) $(HARDEN) \
	-ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
LDFLAGS_ALL = $(LDHARDEN) $(LIB_DIRS) $(LDFLAGS)

include sources.mk
PROGRAMS = skyptyd skyptyd-monitor skyptyd-dmsg-monitor skyptyd-net \
	skyptyd-dmsg skyptyd-connect skyptyd-http-monitor skypty skypty-agent \
	skypty-forward skypty-record skypty-keeper $(TLS_PROGRAM) \
	$(HTTP_PROGRAM)

.DEFAULT_GOAL = all
include daemon/http/page/page.mk
OBJS_skyptyd-http = $(WEB_OBJS)

# In the order of who knows whom.
COMMON = privsep dmsg pty base
COMMON_LIB = $(COMMON:%=$(OBJ)/lib%.a)
objs = $(patsubst %.c,$(OBJ)/%.o,$(1))

UNIT_SRC = $(wildcard regress/unit/test_*.c)
UNIT = $(patsubst %.c,$(OBJ)/%,$(UNIT_SRC))
FUZZ_SRC = $(wildcard regress/fuzz/fuzz_*.c)
FUZZ = $(patsubst regress/fuzz/%.c,obj-fuzz/%,$(FUZZ_SRC))
FOLDERS_C = $(addprefix common/,$(COMMON)) monitor \
	$(addprefix monitor/,dmsg half http) daemon \
	$(addprefix daemon/,net dmsg http http/page connect forward keeper \
	record tls) \
	client $(addprefix client/,agent cp dmsg fleet forward hub sftp ssh) regress/*
C_FILES = $(wildcard $(FOLDERS_C:%=%/*.[ch]))
SH_FILES = $(wildcard contrib/*.sh contrib/build/*.sh contrib/fleet/update-* \
	contrib/completion/*.bash regress/*.sh \
	regress/*/*.sh daemon/http/page/*.sh)
MAN_PAGES = daemon/skyptyd.8 daemon/http/skyptyd-http.8 client/skypty.1 \
	client/skypty-fleet.1 client/skypty-ssh.1 daemon/skypty.json.5 \
	daemon/authorized_pks.5

all: $(addprefix $(BIN)/,$(PROGRAMS)) $(BIN)/skypty-ssh left-out

# What was not asked to be left out, and is for want of a library.
left_out = $(if $(filter file0 fileno,$(origin $(1))$($(1))),\
	@echo 'There is no $(2): left out is $(3).')
define LEFT_OUT
$(call left_out,HTTP,libwebsockets (libwebsockets-dev),skyptyd-http$(comma) the terminal for browsers)
$(if $(HTTP_PROGRAM),$(call left_out,WEB,npm,the page of the terminal for browsers))
$(call left_out,SSL,libssl (libssl-dev),skypty-tls$(comma) for a discovery over https)
$(call left_out,GCRYPT,libgcrypt (libgcrypt20-dev),the faster cipher for bulk)
$(call left_out,PAM,libpam (libpam0g-dev),PAM: accounts are checked without it)
endef
left-out: $(addprefix $(BIN)/,$(PROGRAMS))
	$(LEFT_OUT)
	@:

# Objects are made anew when what they are made with changes.
quoted = '$(subst ','\'',$(1))'
new_text = @mkdir -p $(@D); printf '%s\n' $(1) | cmp -s - $@ || \
	printf '%s\n' $(1) >$@
$(OBJ)/compiled-with: FORCE
	$(call new_text,$(call quoted,$(CC) $(CPPFLAGS_SAME) $(CFLAGS_ALL)))
$(OBJ)/linked-with: FORCE
	$(call new_text,$(call quoted,$(LDFLAGS_ALL) $(LIBS_skyptyd) \
		$(LIB_GCRYPT)))
$(OBJ)/places.h: FORCE
	$(call new_text,$(foreach n,SYSCONFDIR RUNSTATEDIR LOCALSTATEDIR \
		SBINDIR BINDIR LIBEXECDIR,'#define $(n) "$($(n))"'))

define library
$(OBJ)/lib$(1).a: $(call objs,$(SRC_$(1)))
	rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach l,$(COMMON),$(eval $(call library,$(l))))

$(OBJ)/%.o: %.c $(OBJ)/compiled-with | $(OBJ)/places.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

define program
$(BIN)/$(1): $(call objs,$(SRC_$(1))) $(OBJS_$(1)) $(COMMON_LIB) \
    $(OBJ)/linked-with
	@mkdir -p $$(@D)
	$$(CC) $(2) $$(CFLAGS_ALL) $$(LDFLAGS_ALL) -o $$@ \
		$$(filter-out %/linked-with,$$^) $$(LIBS_$(1))
endef
$(eval $(call program,skyptyd,$(PIE)))
$(eval $(call program,skyptyd-monitor,$(PIE)))
$(eval $(call program,skyptyd-dmsg-monitor,$(PIE)))
$(eval $(call program,skyptyd-net,$(PIE)))
$(eval $(call program,skyptyd-dmsg,$(PIE)))
$(eval $(call program,skyptyd-connect,$(PIE)))
$(eval $(call program,skyptyd-http-monitor,$(PIE)))
$(eval $(call program,skypty,$(PIE)))
$(eval $(call program,skypty-agent,$(PIE)))
$(eval $(call program,skypty-forward,$(PIE)))
$(eval $(call program,skypty-record,$(PIE)))
$(eval $(call program,skypty-keeper,$(PIE)))
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
	$(CC) $(PIE) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_test)

unit: $(UNIT)

# Small programs that system tests put in a real program's place.
SYS_SHARED = regress/sys/hostile_made.c regress/sys/less_landlock.c
SYS_HELPERS = $(patsubst regress/sys/%.c,$(OBJ)/regress/sys/%,\
	$(filter-out $(SYS_SHARED),$(wildcard regress/sys/*.c)))
$(OBJ)/regress/sys/%: $(OBJ)/regress/sys/%.o \
	$(OBJ)/daemon/http/http_confine.o $(call objs,$(SYS_SHARED)) $(COMMON_LIB)
	$(CC) $(PIE) $(CFLAGS_ALL) $(LDFLAGS_ALL) -Wl,--wrap=syscall -o $@ $^ \
		$(LIBS_test)

# What LD_PRELOAD puts between a program and its C library, in tests only.
PRELOADS = $(patsubst %.c,$(OBJ)/%.so,$(wildcard regress/preload/*.c))
$(OBJ)/regress/preload/%.so: regress/preload/%.c
	@mkdir -p $(@D)
	$(CC) $(DEFS) -std=c11 -O1 -g $(WARN) -fPIC -shared -o $@ $< -ldl

check-programs: all unit $(SYS_HELPERS) $(PRELOADS)

check: check-programs
	OBJ=$(OBJ) BIN=$(BIN) sh regress/check.sh

# All of them N times, on a machine that is busy with something else.
N ?= 5
check-loaded:
	sh regress/loaded.sh $(N)

interop: all $(PRELOADS)
	sh regress/interop/run.sh

# Parsers outside of common/ that are fuzzed.
FUZZ_EXTRA = monitor/command.c

FUZZ_CC = $(CLANG) -std=c11 -O1 -g $(WARN) -fno-sanitize-recover=all
FUZZ_OBJS = $(patsubst %.c,obj-fuzz/%.o,$(foreach l,$(COMMON),$(SRC_$(l))) \
	$(FUZZ_EXTRA))

obj-fuzz/%.o: %.c $(OBJ)/compiled-with | $(OBJ)/places.h
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS_ALL) -MMD -MP \
		-fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

obj-fuzz/fuzz_%: obj-fuzz/regress/fuzz/fuzz_%.o $(FUZZ_OBJS)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS_test) \
		$(FUZZ_LINK)
obj-fuzz/fuzz_agent: obj-fuzz/client/agent/agent.o
obj-fuzz/fuzz_forward: obj-fuzz/client/forward/forward_spec.o \
	obj-fuzz/client/forward/socks.o
obj-fuzz/fuzz_http_gate: obj-fuzz/monitor/http/http_auth.o \
	obj-fuzz/monitor/http/http_gate.o

# A whole process: what ends it is caught.
obj-fuzz/fuzz_dmsg_life obj-fuzz/fuzz_net_life: FUZZ_LINK = -Wl,--wrap=_exit
obj-fuzz/fuzz_dmsg_life: $(patsubst %.c,obj-fuzz/%.o,\
	$(filter-out daemon/dmsg/dmsg_main.c,$(SRC_skyptyd-dmsg)))
obj-fuzz/fuzz_net_life: $(patsubst %.c,obj-fuzz/%.o,\
	$(filter-out daemon/net/net_main.c,$(SRC_skyptyd-net)))

# The other side of its socket, whose processes are a model's.
obj-fuzz/fuzz_dispatch: FUZZ_LINK = $(patsubst %,-Wl$(comma)--wrap=%,_exit \
	forwarder_start half_die half_timer now_ms process_fork process_signal \
	process_signal_group recorder_start spawn waitid waitpid)
obj-fuzz/fuzz_dispatch: $(patsubst %.c,obj-fuzz/%.o,\
	$(filter-out monitor/monitor.c,$(SRC_skyptyd-monitor)))

# The client, at whose other end is a host.
FUZZ_CLIENT = $(patsubst %.c,obj-fuzz/%.o,\
	$(filter-out client/complain.c client/skypty.c,$(SRC_skypty)))
obj-fuzz/fuzz_client obj-fuzz/fuzz_cp: FUZZ_LINK = -Wl,--wrap=via_open \
	-Wl,--wrap=conn_wait
obj-fuzz/fuzz_client: FUZZ_LINK += -Wl,--wrap=unix_connect
obj-fuzz/fuzz_hosts: FUZZ_LINK = -Wl,--wrap=glob -Wl,--wrap=globfree
obj-fuzz/fuzz_client obj-fuzz/fuzz_cp obj-fuzz/fuzz_fleet obj-fuzz/fuzz_hosts: \
	$(FUZZ_CLIENT)

obj-fuzz/fuzz_hub: $(FUZZ_CLIENT) obj-fuzz/client/complain.o

obj-fuzz/fuzz_keeper: obj-fuzz/daemon/keeper/keeper_peer.o \
	obj-fuzz/daemon/keeper/keeper_store.o

# By itself: it needs nothing else of the client.
obj-fuzz/fuzz_screen: $(patsubst %.c,obj-fuzz/%.o,$(SRC_kept_screen_$(VTERM)))
obj-fuzz/fuzz_sftp_asker: obj-fuzz/client/sftp/sftp_asker.o

# For arm64 and armhf: built, with unit tests in qemu's user mode; and all that
# counts on whole machines that qemu makes, with Debian's own kernel.
cross:
	sh regress/cross/run.sh

boards:
	sh regress/cross/boards.sh

# README.md word for word on fresh systems of Debian, for an hour or two.
first-use:
	sh regress/firstuse/run.sh

web-check: all
	BIN=$(BIN) OBJ=$(OBJ) sh regress/web/run.sh

fuzz: $(FUZZ)
	sh regress/fuzz/run.sh

$(OBJ)/regress/bench/%: $(OBJ)/regress/bench/%.o $(COMMON_LIB)
	$(CC) $(PIE) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_test)

bench: all $(OBJ)/regress/bench/handshake
	$(OBJ)/regress/bench/handshake
	sh regress/bench/run.sh

format:
	$(CLANG_FORMAT) -i $(C_FILES)

# Processes are made and signalled through common/base/process.c alone.
OWN_C = $(filter-out common/base/process.c regress/%,$(filter %.c,$(C_FILES)))

# What tells of flags tells of the same ones: the programs are asked.
lint: $(addprefix $(BIN)/,skyptyd skyptyd-http-monitor skypty skypty-ssh)
	$(if $(formats_our_way),$(CLANG_FORMAT) --dry-run -Werror $(C_FILES),\
		@echo 'lint: there is no clang-format $(CLANG_FORMAT_RELEASE):' \
		'the format of the C files was not looked at')
	! grep -nE '(^|[^a-z_])(v?fork|kill|killpg|tgkill|posix_spawnp?)\(' \
		$(OWN_C)
	printf '%s\n' $(SH_FILES) | xargs -P 2 -n 8 shellcheck -x -e SC2317
	! mandoc -T lint -W style $(MAN_PAGES) 2>/dev/null | \
		grep -v 'referenced manual not found'
	python3 regress/arrows.py
	python3 regress/overview.py
	python3 regress/security.py
	python3 regress/flags.py $(BIN)
	python3 regress/logs.py

# Our C in figures; regress/metrics.py -v says where each is from.
metrics:
	@python3 regress/metrics.py

# --- installation --------------------------------------------------------

# As "mode:what:place"; uninstall reads the same lists.
UNITS = skyptyd.service skyptyd-dmsg.service skyptyd.socket \
	skyptyd-inetd.socket skyptyd-inetd@.service
UNITS_HTTP = skyptyd-http.service
LIBEXEC_PROGRAMS = skyptyd-monitor skyptyd-dmsg-monitor skyptyd-net \
	skyptyd-dmsg skyptyd-connect skypty-agent skypty-forward skypty-keeper \
	skypty-record
places = $(foreach f,$(2),$(1):$(f):$(strip $(3))/$(notdir $(f)))
INSTALLS = $(call places,755,$(BIN)/skyptyd,$(SBINDIR)) \
	$(call places,755,$(BIN)/skypty,$(BINDIR)) \
	$(call places,755,$(addprefix $(BIN)/,$(LIBEXEC_PROGRAMS)),\
		$(LIBEXECDIR)) \
	$(call places,644,daemon/skyptyd.8,$(MANDIR)/man8) \
	$(call places,644,client/skypty.1 client/skypty-fleet.1 \
		client/skypty-ssh.1,$(MANDIR)/man1) \
	$(call places,644,daemon/skypty.json.5 daemon/authorized_pks.5,\
		$(MANDIR)/man5) \
	$(call places,644,etc/skypty.json.example etc/authorized_pks.example \
		PROTOCOL PROTOCOL.pty PROTOCOL.dmsg,$(DOCDIR)) \
	$(call places,755,contrib/fleet/update-skypty \
		contrib/fleet/update-skywire,$(DATADIR)/skypty) \
	644:contrib/completion/skypty.bash:$(BASHCOMPDIR)/skypty \
	644:contrib/completion/skypty.fish:$(FISHCOMPDIR)/skypty.fish \
	644:contrib/completion/_skypty:$(ZSHCOMPDIR)/_skypty \
	644:contrib/systemd/skypty.sysusers:$(SYSUSERSDIR)/skypty.conf \
	$(call places,unit,$(UNITS),$(SYSTEMDUNITDIR)) \
	link:skypty:$(BINDIR)/skypty-ssh \
	link:skypty:$(BASHCOMPDIR)/skypty-ssh \
	link:skypty:$(BASHCOMPDIR)/skyptyd \
	link:skypty.fish:$(FISHCOMPDIR)/skypty-ssh.fish \
	link:skypty.fish:$(FISHCOMPDIR)/skyptyd.fish
# Written for Debian's common files; what an admin has changed stays.
INSTALLS_PAM = $(call places,keep,contrib/pam/skypty,$(PAMDIR))
INSTALLS_SSL = $(call places,755,$(BIN)/skypty-tls,$(LIBEXECDIR))
INSTALLS_HTTP = $(call places,755,$(addprefix $(BIN)/,skyptyd-http \
		skyptyd-http-monitor),$(LIBEXECDIR)) \
	$(call places,644,daemon/http/skyptyd-http.8,$(MANDIR)/man8) \
	$(call places,unit,$(UNITS_HTTP),$(SYSTEMDUNITDIR))
part = $(word $(1),$(subst :, ,$(2)))
place_of = $(DESTDIR)$(call part,3,$(1))
place_unit = sed -e 's|@SBINDIR@|$(SBINDIR)|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' \
	contrib/systemd/$(call part,2,$(1)).in >$(place_of) && \
	chmod 644 $(place_of)
place_keep = [ -e $(place_of) ] || \
	$(INSTALL) -m 644 $(call part,2,$(1)) $(place_of)
place_link = ln -sf $(call part,2,$(1)) $(place_of)
place_file = $(INSTALL) -m $(call part,1,$(1)) $(call part,2,$(1)) $(place_of)
define place_one
	$(call $(or $(filter place_unit place_keep place_link,place_$(call part,1,$(1))),\
		place_file),$(1))

endef
# Which folders were not there before, for uninstall.
FOLDERS = contrib/build/folders.sh
RECORD = '$(DESTDIR)' $(LIBEXECDIR)/skypty-folders
BUILT = $(INSTALLS) $(if $(TLS_PROGRAM),$(INSTALLS_SSL)) \
	$(if $(HTTP_PROGRAM),$(INSTALLS_HTTP)) \
	$(if $(filter 1,$(PAM)),$(if \
		$(wildcard /etc/pam.d/common-session),$(INSTALLS_PAM)))

install: all
	sh $(FOLDERS) make $(RECORD) $(sort $(foreach i,$(BUILT),\
		$(patsubst %/,%,$(dir $(call part,3,$(i))))))
	$(foreach i,$(BUILT),$(call place_one,$(i)))

uninstall:
	rm -f $(foreach i,$(INSTALLS) $(INSTALLS_SSL) $(INSTALLS_HTTP) $(INSTALLS_PAM),\
		$(call place_of,$(i)))
	sh $(FOLDERS) remove $(RECORD)

clean:
	rm -rf obj obj-san obj-fuzz obj-clang obj-cross \
		daemon/http/page/node_modules regress/web/node_modules \
		$(addprefix $(BIN)/,$(PROGRAMS) skypty-ssh)

FORCE:

.PHONY: FORCE all left-out unit check check-programs check-loaded cross boards first-use interop web-check fuzz bench format lint metrics install uninstall clean
.SECONDARY:
-include $(shell find $(OBJ) obj-fuzz -name '*.d' 2>/dev/null)
