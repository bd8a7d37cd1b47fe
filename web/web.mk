# SPDX-License-Identifier: ISC
# The page of skyptyd http: fetched by npm from a lock file, packed into two
# objects.  WEB=no leaves it out; web/dist, in a release, is used in its place.
WEB_DIR = $(OBJ)/web
WEB ?= $(if $(wildcard web/dist),dist,$(if $(shell command -v npm),yes,no))
WEB_OBJS = $(WEB_DIR)/table.o $(WEB_DIR)/data.o
WEB_SRC = $(addprefix web/,index.html app.js bounds.js keys.js pulse.js text.js \
	touch.js width.js sftp.js files.js style.css favicon.svg pack.sh)

ifeq ($(WEB),yes)
WEB_MODULES = web/node_modules
WEB_DEPENDS = $(WEB_MODULES)/.package-lock.json
else ifeq ($(WEB),dist)
WEB_MODULES = web/dist
endif

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund \
		--loglevel=error >/dev/null
	touch $@

$(WEB_DIR)/table.c: $(WEB_DEPENDS) $(WEB_SRC)
	sh web/pack.sh $(WEB_DIR) $(WEB_MODULES)

# Made along with the table.
$(WEB_DIR)/data.S: $(WEB_DIR)/table.c ;

$(WEB_DIR)/table.o: $(WEB_DIR)/table.c web/assets.h $(OBJ)/compiled-with
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(WEB_DIR)/data.o: $(WEB_DIR)/data.S $(OBJ)/compiled-with
	$(CC) $(CFLAGS) -c -o $@ $<
