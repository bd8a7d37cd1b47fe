# SPDX-License-Identifier: ISC
# The page of skyptyd http: fetched by npm from a lock file, packed into two
# objects.  WEB=no leaves it out; web/dist, in a release, is used in its place.
WEB_DIR = $(OBJ)/web
WEB ?= $(if $(wildcard web/dist),dist,$(if $(shell command -v npm),yes,no))
WEB_OBJS = $(WEB_DIR)/table.o $(WEB_DIR)/data.o
WEB_SRC = $(addprefix web/,index.html app.js sftp.js files.js style.css \
	favicon.svg pack.sh)

ifeq ($(WEB),yes)
WEB_MODULES = $(WEB_DIR)/node_modules
$(WEB_DIR)/.modules: web/package.json web/package-lock.json
	mkdir -p $(WEB_DIR)
	cp web/package.json web/package-lock.json $(WEB_DIR)
	cd $(WEB_DIR) && npm ci --ignore-scripts --no-audit --no-fund \
		--loglevel=error >/dev/null
	touch $@
else ifeq ($(WEB),dist)
WEB_MODULES = web/dist
$(WEB_DIR)/.modules:
	mkdir -p $(WEB_DIR) && touch $@
else
$(WEB_DIR)/.modules:
	mkdir -p $(WEB_DIR) && touch $@
endif

$(WEB_DIR)/table.c: $(WEB_DIR)/.modules $(WEB_SRC)
	sh web/pack.sh $(WEB_DIR) $(WEB_MODULES)

$(WEB_DIR)/data.S: $(WEB_DIR)/table.c

$(WEB_DIR)/table.o: $(WEB_DIR)/table.c web/assets.h
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(WEB_DIR)/data.o: $(WEB_DIR)/data.S
	$(CC) -c -o $@ $<
