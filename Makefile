# GNU make.  `make help` lists the targets.
#
#   DEVELOPER=1  warnings are errors        V=1      show the commands
#   CC=clang     another compiler           DEPS=no  ask no package manager
#
# The first half is the front door: what a person types.  It runs this file
# again with FLAVOUR set, and the second half builds that flavour in a folder
# of its own: build/plain, build/developer, build/asan, build/cover.

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
DOCDIR = $(PREFIX)/share/doc/scep
DATADIR = $(PREFIX)/share/scep
DESTDIR =

# ---- Sources, one a line, sorted -----------------------------------------

SRCS =
SRCS += admin/admin.c
SRCS += admin/alias.c
SRCS += admin/alias_add.c
SRCS += admin/alias_check.c
SRCS += admin/alias_file.c
SRCS += admin/alias_key.c
SRCS += admin/alias_look.c
SRCS += admin/alias_name.c
SRCS += admin/alias_peer.c
SRCS += admin/alias_proxy.c
SRCS += admin/alias_queue.c
SRCS += admin/args.c
SRCS += admin/args_load.c
SRCS += admin/args_tree.c
SRCS += admin/audit.c
SRCS += admin/ca.c
SRCS += admin/ca_filter.c
SRCS += admin/ca_make.c
SRCS += admin/ca_next.c
SRCS += admin/ca_ra.c
SRCS += admin/ca_rename.c
SRCS += admin/cert.c
SRCS += admin/cert_choose.c
SRCS += admin/cert_import.c
SRCS += admin/cert_list.c
SRCS += admin/cert_show.c
SRCS += admin/challenge.c
SRCS += admin/challenge_list.c
SRCS += admin/check.c
SRCS += admin/check_issued.c
SRCS += admin/crl.c
SRCS += admin/crl_import.c
SRCS += admin/csv.c
SRCS += admin/edit.c
SRCS += admin/ejbca_ca.c
SRCS += admin/ejbca_config.c
SRCS += admin/ejbca_instead.c
SRCS += admin/ejbca_keys.c
SRCS += admin/ejbca_properties.c
SRCS += admin/ejbca_ra.c
SRCS += admin/ejbca_status.c
SRCS += admin/ejbca_update.c
SRCS += admin/ejbca_upload.c
SRCS += admin/entity.c
SRCS += admin/entity_code.c
SRCS += admin/entity_import.c
SRCS += admin/entity_judge.c
SRCS += admin/entity_rules.c
SRCS += admin/entity_set.c
SRCS += admin/entity_show.c
SRCS += admin/health.c
SRCS += admin/help.c
SRCS += admin/index.c
SRCS += admin/init.c
SRCS += admin/intune.c
SRCS += admin/movein.c
SRCS += admin/nearest.c
SRCS += admin/output.c
SRCS += admin/owner.c
SRCS += admin/profile.c
SRCS += admin/profile_try.c
SRCS += admin/queue.c
SRCS += admin/queue_export.c
SRCS += admin/queue_prune.c
SRCS += admin/queue_pull.c
SRCS += admin/queue_stream.c
SRCS += admin/request.c
SRCS += admin/request_answer.c
SRCS += admin/request_find.c
SRCS += admin/revoke.c
SRCS += admin/status.c
SRCS += aliases/alias.c
SRCS += aliases/alias_far.c
SRCS += aliases/alias_file.c
SRCS += aliases/alias_intune.c
SRCS += aliases/alias_keys.c
SRCS += aliases/alias_mode.c
SRCS += aliases/alias_rules.c
SRCS += aliases/alias_secret.c
SRCS += aliases/alias_take.c
SRCS += aliases/cache.c
SRCS += aliases/site.c
SRCS += base/base64.c
SRCS += base/buf.c
SRCS += base/cache.c
SRCS += base/err.c
SRCS += base/file.c
SRCS += base/file_claim.c
SRCS += base/file_write.c
SRCS += base/ini.c
SRCS += base/ini_edit.c
SRCS += base/ini_line.c
SRCS += base/json.c
SRCS += base/json_read.c
SRCS += base/log.c
SRCS += base/names.c
SRCS += base/owner.c
SRCS += base/socket.c
SRCS += base/time.c
SRCS += base/utf8.c
SRCS += ca/attr.c
SRCS += ca/bring.c
SRCS += ca/ca.c
SRCS += ca/called.c
SRCS += ca/cert.c
SRCS += ca/certs.c
SRCS += ca/chain.c
SRCS += ca/create.c
SRCS += ca/crl.c
SRCS += ca/der.c
SRCS += ca/dn.c
SRCS += ca/dn_canon.c
SRCS += ca/dn_check.c
SRCS += ca/dn_server.c
SRCS += ca/dn_within.c
SRCS += ca/entity_check.c
SRCS += ca/entity_rules.c
SRCS += ca/ext.c
SRCS += ca/folder.c
SRCS += ca/generation.c
SRCS += ca/import.c
SRCS += ca/issue.c
SRCS += ca/key.c
SRCS += ca/key_csr.c
SRCS += ca/key_pkcs12.c
SRCS += ca/key_sign.c
SRCS += ca/key_unwrap.c
SRCS += ca/make.c
SRCS += ca/next.c
SRCS += ca/passphrase.c
SRCS += ca/profile.c
SRCS += ca/profile_read.c
SRCS += ca/profile_shape.c
SRCS += ca/profile_take.c
SRCS += ca/profile_words.c
SRCS += ca/profiles.c
SRCS += ca/pubkey.c
SRCS += ca/ra.c
SRCS += ca/ra_import.c
SRCS += ca/ra_make.c
SRCS += ca/ra_request.c
SRCS += ca/rename.c
SRCS += ca/request.c
SRCS += ca/rollover.c
SRCS += ca/san.c
SRCS += ca/san_rule.c
SRCS += ca/tbs.c
SRCS += ca/tbs_crl.c
SRCS += ca/tbs_ext.c
SRCS += ca/text.c
SRCS += ca/urls.c
SRCS += fetch/curl.c
SRCS += fetch/fault.c
SRCS += fetch/fetch.c
SRCS += fetch/frame.c
SRCS += fetch/helper.c
SRCS += fetch/pause.c
SRCS += fetch/run.c
SRCS += fetch/wire.c
SRCS += judge/entity.c
SRCS += judge/intune.c
SRCS += judge/intune_call.c
SRCS += judge/intune_jwt.c
SRCS += judge/intune_revoke.c
SRCS += judge/intune_token.c
SRCS += judge/judge.c
SRCS += judge/onetime.c
SRCS += judge/overrides.c
SRCS += judge/program.c
SRCS += judge/ra.c
SRCS += judge/secret.c
SRCS += judge/web.c
SRCS += judge/web_ask.c
SRCS += judge/web_reply.c
SRCS += message/alg.c
SRCS += message/attrs.c
SRCS += message/ber.c
SRCS += message/check.c
SRCS += message/content.c
SRCS += message/csr.c
SRCS += message/csr_attrs.c
SRCS += message/decoy.c
SRCS += message/envelope.c
SRCS += message/legacy.c
SRCS += message/letter.c
SRCS += message/names.c
SRCS += message/open.c
SRCS += message/pwri.c
SRCS += message/pwri_read.c
SRCS += message/scheme.c
SRCS += message/seal.c
SRCS += message/set.c
SRCS += message/signed.c
SRCS += message/unwrap.c
SRCS += message/verify.c
SRCS += message/wrap.c
SRCS += page/ndes.c
SRCS += store/approval.c
SRCS += store/audit.c
SRCS += store/cert.c
SRCS += store/check.c
SRCS += store/check_certs.c
SRCS += store/check_codes.c
SRCS += store/check_crls.c
SRCS += store/check_issued.c
SRCS += store/check_kept.c
SRCS += store/check_queue.c
SRCS += store/check_renewed.c
SRCS += store/check_rooms.c
SRCS += store/check_unique.c
SRCS += store/check_waiting.c
SRCS += store/claim.c
SRCS += store/code.c
SRCS += store/crl.c
SRCS += store/entity.c
SRCS += store/inside.c
SRCS += store/issued.c
SRCS += store/kept.c
SRCS += store/kept_room.c
SRCS += store/news.c
SRCS += store/onetime.c
SRCS += store/outcome.c
SRCS += store/pem.c
SRCS += store/probe.c
SRCS += store/queue.c
SRCS += store/queue_done.c
SRCS += store/queue_file.c
SRCS += store/queue_untold.c
SRCS += store/record.c
SRCS += store/released.c
SRCS += store/renewed.c
SRCS += store/revoked.c
SRCS += store/seal.c
SRCS += store/store.c
SRCS += store/supersede.c
SRCS += store/text.c
SRCS += store/transaction.c
SRCS += store/try.c
SRCS += store/unique.c
SRCS += store/waiting.c
SRCS += store/waiting_list.c
SRCS += store/waiting_move.c
SRCS += store/waiting_text.c
SRCS += access.c
SRCS += crl.c
SRCS += enrol.c
SRCS += enrol_code.c
SRCS += enrol_grant.c
SRCS += enrol_judge.c
SRCS += enrol_look.c
SRCS += enrol_name.c
SRCS += enrol_poll.c
SRCS += enrol_ra.c
SRCS += enrol_release.c
SRCS += enrol_renew.c
SRCS += enrol_revive.c
SRCS += enrol_unique.c
SRCS += enrol_wait.c
SRCS += fresh.c
SRCS += getca.c
SRCS += getcert.c
SRCS += http.c
SRCS += http_read.c
SRCS += manager.c
SRCS += password.c
SRCS += pkioperation.c
SRCS += proxy.c
SRCS += publish.c
SRCS += query.c
SRCS += queue.c
SRCS += queue_answer.c
SRCS += queue_done.c
SRCS += queue_letter.c
SRCS += queue_news.c
SRCS += queue_ra.c
SRCS += queue_room.c
SRCS += queue_take.c
SRCS += queue_tell.c
SRCS += queue_text.c
SRCS += queue_untold.c
SRCS += route.c
SRCS += serve.c
SRCS += signer.c
SRCS += visit.c
SRCS += workers.c
MAIN = scep.c

# Certificate profiles that are built in, and installed to be read.
PROFILES =
PROFILES += profiles/EMPTY.ini
PROFILES += profiles/ENDUSER.ini
PROFILES += profiles/mdm-device.ini
PROFILES += profiles/router.ini
PROFILES += profiles/tls-client.ini
PROFILES += profiles/tls-server.ini
PROFILES += profiles/vpn.ini

# One program per file; each has its own main().
UNITS = $(sort $(wildcard tests/unit/test_*.c))
FUZZERS = $(sort $(wildcard tests/fuzz/fuzz_*.c))
SCRIPTS = $(sort $(wildcard tests/t*.t))

# Programs of the end-to-end tests; they share no code with the server.
BUILDER =
BUILDER += tests/builder.c
BUILDER += tests/builder_break.c
BUILDER += tests/builder_certrep.c
BUILDER += tests/builder_client.c
BUILDER += tests/builder_csr.c
BUILDER += tests/builder_der.c
BUILDER += tests/builder_envelope.c
BUILDER += tests/builder_fields.c
BUILDER += tests/builder_get.c
BUILDER += tests/builder_grammar.c
BUILDER += tests/builder_key.c
BUILDER += tests/builder_message.c
BUILDER += tests/builder_password.c
BUILDER += tests/builder_post.c
TOOLS = tests/bench/load.c

MAN1 = man/scep.1 man/scep-ejbca.1
MAN5 = man/scep-alias.5 man/scep-profile.5 man/scep-store.5

# ---- Debian packages -----------------------------------------------------

DEPS_build = gcc libc6-dev libcjson-dev libcurl4-openssl-dev libfcgi-dev \
	libiniparser-dev libssl-dev make
DEPS_run = $(DEPS_build) libcurl4 libstrongswan-extra-plugins \
	libstrongswan-standard-plugins lighttpd openssl strongswan-pki
DEPS_check = $(DEPS_run) apache2-bin apache2-suexec-pristine certmonger \
	clang curl dbus ldap-utils libapache2-mod-fcgid libc6-dbg \
	libclang-rt-14-dev libcmocka-dev libfaketime libfcgi-bin \
	lighttpd-mod-openssl lld nginx perl python3 rsync scep slapd \
	spawn-fcgi strace systemd valgrind
DEPS_lint = $(DEPS_build) clang-format clang-tidy cppcheck libcmocka-dev \
	mandoc shellcheck
DEPS_cover = $(DEPS_check) lcov
DEPS_bench = $(DEPS_build) curl lighttpd openssl

# ---- Compiler ------------------------------------------------------------

ifeq ($(origin CC),default)
CC = gcc
endif
ASAN_CC = clang

STD = -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L \
	-DOPENSSL_API_COMPAT=30000 -DOPENSSL_NO_DEPRECATED
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wformat=2 -Wundef -Wswitch-enum \
	-Wnull-dereference -Wconversion -Wdouble-promotion
WARN_GCC = -Wlogical-op -Wduplicated-cond -Wduplicated-branches
WARN_CLANG = -Wcomma -Wunreachable-code
HARDEN = -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now

LIBS = -lcjson -lfcgi -liniparser -lcrypto
JOBS := $(shell nproc 2>/dev/null || echo 2)

ifndef FLAVOUR
# ==== The front door ======================================================

.NOTPARALLEL:
.DEFAULT_GOAL = all
.PHONY: all help run check unit asan lint lint-format lint-tidy lint-cppcheck \
	lint-shell man-lint include-direction check-format format cover bench \
	fuzz fuzz-replay mutants install clean deps deps-build deps-run \
	deps-check deps-lint deps-cover deps-bench

plain = $(if $(DEVELOPER),developer,plain)
build = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

all: ## build ./scep
	@$(build) FLAVOUR=$(plain) scep

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 20

run: deps-run all ## the demo: a server, and a real client enrolled (ONCE=1, PORT=)
	@examples/run.sh

# ---- Tests

# Everything once on the plain build and once under the sanitizers.  The last
# line counts.
check: deps-check all ## every test, plain and under the sanitizers
	@$(build) FLAVOUR=$(plain) tests
	@$(build) FLAVOUR=asan CC=$(ASAN_CC) tests
	@tests/harness plain=build/$(plain) asan=build/asan -- \
	    $(UNITS) $(FUZZERS) $(SCRIPTS)

unit: deps-check ## the unit tests alone, plain
	@$(build) FLAVOUR=$(plain) units
	@tests/harness plain=build/$(plain) -- $(UNITS)

asan: deps-check ## every test under AddressSanitizer and UBSan
	@$(build) FLAVOUR=asan CC=$(ASAN_CC) tests
	@tests/harness asan=build/asan -- $(UNITS) $(FUZZERS) $(SCRIPTS)

fuzz-replay: deps-check ## the fuzz corpus, each file twice
	@$(build) FLAVOUR=asan CC=$(ASAN_CC) replays
	@tests/harness asan=build/asan -- $(FUZZERS)

FUZZ_TIME = 60
fuzz: deps-check ## libFuzzer on each target, FUZZ_TIME seconds each
	@$(build) FLAVOUR=fuzz CC=clang fuzzers
	@tests/fuzz/run.sh $(FUZZ_TIME) $(FUZZERS)

cover: deps-cover ## line coverage of the tests in build/cover/html
	@$(build) FLAVOUR=cover CC=gcc tests
	@tests/harness cover=build/cover -- $(UNITS) $(FUZZERS) $(SCRIPTS)
	@tests/cover.sh

mutants: deps-check ## break the server on purpose: some test must notice
	@tests/mutants.sh

bench: deps-bench ## measure; BENCH_N enrolments
	@$(build) FLAVOUR=plain scep tools
	@tests/bench/bench.sh

# ---- Looking without running

C_ALL = $(sort $(SRCS) $(MAIN) $(UNITS) $(FUZZERS) $(BUILDER) $(TOOLS) \
	$(wildcard tests/fuzz/*.c))
C_HEADERS = $(sort $(wildcard *.h */*.h tests/*/*.h))
SHELLS = .ci/run examples/scep-suexec $(sort $(wildcard tests/*.sh \
	tests/*/*.sh examples/*.sh tests/*.t))

LINTS = lint-format lint-tidy lint-cppcheck lint-shell man-lint \
	include-direction
lint: deps-lint $(LINTS) ## format, clang-tidy, cppcheck, shellcheck, man pages

check-format lint-format: deps-lint ## is every C file in the house format?
	@echo '  FORMAT'
	@clang-format --dry-run -Werror $(C_ALL) $(C_HEADERS)

format: deps-lint ## write the house format into every C file
	@clang-format -i $(C_ALL) $(C_HEADERS)

lint-tidy: deps-lint
	@$(build) FLAVOUR=lint CC=clang tidy

lint-cppcheck: deps-lint
	@echo '  CPPCHECK'
	@mkdir -p build/lint/cppcheck
	@cppcheck --quiet --std=c11 --enable=warning,portability,performance \
	    --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
	    --cppcheck-build-dir=build/lint/cppcheck -j$(JOBS) -I. \
	    -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L $(SRCS) $(MAIN) $(BUILDER) \
	    $(TOOLS)

lint-shell: deps-lint
	@echo '  SHELLCHECK'
	@grep -L -m 1 '^#!.*perl' $(SHELLS) | \
	    xargs -P $(JOBS) -n 16 shellcheck -x

man-lint: deps-lint ## mandoc's opinion of the man pages
	@echo '  MANDOC'
	@mandoc -T lint -W warning man/*.[158]

include-direction: ## who may include whom
	@echo '  INCLUDES'
	@tests/include-direction.sh >/dev/null

# ---- Installing

install: all ## PREFIX=/usr/local DESTDIR=
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(DOCDIR)/examples \
	    $(DESTDIR)$(DATADIR)/profiles
	install -m 0755 scep $(DESTDIR)$(BINDIR)/scep
	install -m 0644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	install -m 0644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	install -m 0644 README.md CHANGELOG LICENSE $(DESTDIR)$(DOCDIR)
	install -m 0644 $(wildcard examples/*.conf examples/*.ini \
	    examples/*.service examples/*.socket examples/*.timer) \
	    aliases/example.ini $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 $(PROFILES) profiles/example.ini \
	    $(DESTDIR)$(DATADIR)/profiles
	install -m 0755 examples/scep-suexec examples/read-message.sh \
	    examples/judge-csv.sh examples/judge-ldap.sh \
	    examples/queue-pull.sh examples/webhook.py \
	    $(DESTDIR)$(DOCDIR)/examples
	@echo 'For web servers and systemd: $(DOCDIR)/examples'

clean: ## remove what was built
	rm -rf build scep

# ---- Packages: asked of dpkg first, so that a second run asks nobody

deps: deps-check deps-lint ## install what building, running and testing need
deps-build deps-run deps-check deps-lint deps-cover deps-bench: deps-%:
	@[ "$(DEPS)" = no ] || tests/deps.sh $* $(DEPS_$*)

else
# ==== One flavour =========================================================

B = build/$(FLAVOUR)
Q = $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-6s %s\n')

ifneq (,$(findstring clang,$(shell $(CC) --version 2>/dev/null)))
WARN += $(WARN_CLANG)
else
WARN += $(WARN_GCC)
endif

CFLAGS_plain = $(HARDEN)
CFLAGS_developer = $(HARDEN) -g -Werror
CFLAGS_asan = -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -fPIE
CFLAGS_cover = -O0 -g --coverage -fPIE
CFLAGS_fuzz = -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fPIE
CFLAGS_lint = -O2
LDFLAGS_plain = $(HARDEN_LD)
LDFLAGS_developer = $(HARDEN_LD)
# lld takes half the time of ld.
LDFLAGS_asan = -fuse-ld=lld -fsanitize=address,undefined -pie
LDFLAGS_cover = --coverage -pie
LDFLAGS_fuzz = -fsanitize=fuzzer,address,undefined -pie

FLAGS = $(STD) $(WARN) -fno-common $(CFLAGS_$(FLAVOUR)) $(CPPFLAGS) $(CFLAGS) -I. -I$B
BANNED = -include base/banned.h
LINK = $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS)

OBJS = $(SRCS:%.c=$B/%.o)
UNIT_BINS = $(UNITS:%.c=$B/%)
TOOL_BINS = $(TOOLS:%.c=$B/%) $B/tests/builder
REPLAY_BINS = $(FUZZERS:%.c=$B/%)

.PHONY: scep units tools replays fuzzers tests tidy FORCE
.SECONDARY:
.DELETE_ON_ERROR:

tests: scep units tools replays
units: $(UNIT_BINS)
tools: $(TOOL_BINS)
replays: $(REPLAY_BINS)
fuzzers: $(REPLAY_BINS)

# The program of the plain flavours is ./scep, the others stay in their folder.
scep: $B/scep
ifneq (,$(filter $(FLAVOUR),plain developer))
	@cmp -s $B/scep scep || { cp $B/scep scep.new && mv scep.new scep; }
endif

# Objects never mix: other flags, other objects.
$B/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(FLAGS) $(LINK)' | cmp -s - $@ || \
	    echo '$(CC) $(FLAGS) $(LINK)' > $@

$B/scep: $(OBJS) $(MAIN:%.c=$B/%.o)
	$(say) LD $@
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LINK) $(LIBS)

# Eighty programs are linked: each takes what it needs from one archive, which
# is thin, and so no second copy of the objects.
$B/scep.a: $(OBJS)
	$(say) AR $@
	$(Q)rm -f $@ && ar qcsT $@ $^

$(UNIT_BINS): $B/%: $B/%.o $B/scep.a
	$(say) LD $@
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LINK) -lcmocka $(LIBS)

# It counts how often the CA's key is asked.
$B/tests/unit/test_order: private LINK += -Wl,--wrap=key_unwrap

# Each fuzz target is an ordinary function on bytes; without libFuzzer a main
# of ours feeds it the corpus, each file twice.
ifeq ($(FLAVOUR),fuzz)
$(REPLAY_BINS): $B/%: $B/%.o $B/scep.a
else
$(REPLAY_BINS): $B/%: $B/%.o $B/tests/fuzz/replay.o $B/scep.a
endif
	$(say) LD $@
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LINK) $(LIBS)

$(TOOLS:%.c=$B/%): $B/%: $B/%.o
	$(say) LD $@
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LINK) -lcrypto

$B/tests/builder: $(BUILDER:%.c=$B/%.o)
	$(say) LD $@
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LINK) -lcrypto

# The tools are not the server: what it bans they may use.
$(TOOLS:%.c=$B/%.o) $(BUILDER:%.c=$B/%.o): BANNED =

# Their texts as C: { "name", "text" }, ...
$B/ca/profiles.o $B/ca/profiles.c.tidy: $B/ca/profile_shipped.inc
$B/ca/profile_shipped.inc: $(PROFILES) Makefile
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)for p in $(PROFILES); do \
	    echo "{ \"$$(basename $$p .ini)\","; \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $$p; \
	    echo '},'; \
	done > $@

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(FLAGS) $(BANNED) -MMD -MP -c -o $@ $<

# clang-tidy, one stamp a file, so that a second run looks at what changed.
# gcc says on what it depends, since clang takes four times as long to start.
tidy: $(patsubst %,$B/%.tidy,$(SRCS) $(MAIN) $(BUILDER) $(TOOLS))
$B/%.c.tidy: %.c .clang-tidy $B/flags
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)gcc $(STD) $(CPPFLAGS) -I. -I$B $(BANNED) -MM -MP -MT $@ \
	    -MF $B/$*.c.d $<
	$(Q)clang-tidy --quiet $< -- $(FLAGS) $(BANNED) 2>$@.err || \
	    { cat $@.err; exit 1; }
	@touch $@

-include $(shell find $B -name '*.d' 2>/dev/null)
endif
