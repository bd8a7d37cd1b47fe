# SPDX-License-Identifier: ISC
# The page of skyptyd http: fetched by npm from a lock file, packed into two
# objects.  WEB=no leaves it out; dist in its folder, in a release, is used in its place.
PAGE = daemon/http/page
WEB_DIR = $(OBJ)/web
WEB ?= $(if $(wildcard $(PAGE)/dist),dist,$(if $(shell command -v npm),yes,no))
WEB_OBJS = $(WEB_DIR)/table.o $(WEB_DIR)/data.o
WEB_SRC = $(addprefix $(PAGE)/,index.html app.js bounds.js keys.js pulse.js text.js \
	touch.js width.js sftp.js files.js style.css favicon.svg pack.sh)

ifeq ($(WEB),yes)
WEB_MODULES = $(PAGE)/node_modules
WEB_DEPENDS = $(WEB_MODULES)/.package-lock.json
else ifeq ($(WEB),dist)
WEB_MODULES = $(PAGE)/dist
endif

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package.json $(PAGE)/package-lock.json
	cd $(PAGE) && npm ci --ignore-scripts --no-audit --no-fund \
		--loglevel=error >/dev/null
	touch $@

$(WEB_DIR)/table.c: $(WEB_DEPENDS) $(WEB_SRC)
	sh $(PAGE)/pack.sh $(WEB_DIR) $(WEB_MODULES)

# Made along with the table.
$(WEB_DIR)/data.S: $(WEB_DIR)/table.c ;

$(WEB_DIR)/table.o: $(WEB_DIR)/table.c $(PAGE)/assets.h $(OBJ)/compiled-with
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(WEB_DIR)/data.o: $(WEB_DIR)/data.S $(OBJ)/compiled-with
	$(CC) $(CFLAGS) -c -o $@ $<
