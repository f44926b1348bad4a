# SPDX-License-Identifier: BSD-2-Clause
# Running from the tree, installing, the tarball, and this Makefile's own help.

.PHONY: run install uninstall dist clean help

run: ## build, start a demonstration server on 127.0.0.1:3260 and say how to connect to it
	@scripts/deps build
	+@$(SUBMAKE) all
	@scripts/demo $(B)

# Pairs of file and destination; pages and completions as far as there are any.
INSTALLED := $(foreach p,$(PROGRAMS),$(p):$(SBINDIR)/$(notdir $(p))) \
	$(foreach p,$(wildcard man/*.[1-8]),$(p):$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p))) \
	$(foreach p,$(wildcard dist/*.service dist/*.socket),$(p):$(UNITDIR)/$(notdir $(p))) \
	dist/countersign.sysusers:$(SYSUSERSDIR)/countersign.conf \
	$(foreach p,$(wildcard dist/completion/*),$(p):$(COMPLETIONDIR)/$(notdir $(p))) \
	$(foreach p,README NEWS TODO COPYING $(shell find examples -type f),$(p):$(DOCDIR)/$(p))

install: all ## install below DESTDIR and PREFIX (/usr/local): programs, man pages, systemd units, examples
	$(Q)for pair in $(INSTALLED); do \
		src=$${pair%%:*} dst=$(DESTDIR)$${pair#*:}; \
		mkdir -p "$${dst%/*}" || exit 1; \
		case $$src in \
		*.service) sed 's|@SBINDIR@|$(SBINDIR)|' $$src >"$$dst" && chmod 644 "$$dst" ;; \
		*) mode=644; [ ! -x $$src ] || mode=755; install -m $$mode $$src "$$dst" ;; \
		esac || exit 1; \
		printf '  %-7s %s\n' INSTALL "$$dst"; \
	done

uninstall: ## remove what install put there
	$(Q)rm -f $(foreach p,$(INSTALLED),$(DESTDIR)$(lastword $(subst :, ,$(p))))
	$(Q)[ ! -d $(DESTDIR)$(DOCDIR) ] || find $(DESTDIR)$(DOCDIR) -type d -empty -delete

DIST := countersign-$(VERSION:%-dirty=%)
dist: ## the committed tree as a tarball in build/
	$(Q)mkdir -p $(B) && echo $(DIST:countersign-%=%) >$(B)/.version
	$(Q)git archive --prefix=$(DIST)/ --add-file=$(B)/.version \
		-o $(B)/$(DIST).tar.gz HEAD
	@echo $(B)/$(DIST).tar.gz

clean: ## remove build/
	$(Q)rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) 2>/dev/null | \
		sort | awk -F '\t' '{ printf "%-15s %s\n", $$1, $$2 }'
