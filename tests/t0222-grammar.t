#!/bin/sh
# Every field of a pkiMessage, wrong in every way: missing, doubled, of another
# type, NULL, cut, empty, oversized, with something behind it, a bit flipped,
# wrapped, of indefinite, lying and overlong length; what was signed around it
# is signed again.  builder_fields.c has the answer to each (C-89, C-155 to
# C-163);
# nothing is stored by those that are refused, and a good request right after
# succeeds (C-89).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"
sanitized_client

make_home
code=$(add_entity router1 --count 10000)
good=$(add_entity good)
lighttpd_start 2
client_key router1

# What stands in the store but for certificates and what pays for them.
ok "every variant gets its answer" builder grammar --port "$PORT" --ca ca.pem \
	--key router1.key --subject /CN=router1/O=Lab --challenge "$code" \
	--san dns:router1
diag "$(tail -n 20 .out)"
variants=$(sed -n 's/ variants, .*//p' .out)
ok "at least 2,000 variants were tried" test "${variants:-0}" -ge 2000

# Each SUCCESS is one certificate and one claim of the code; a refusal is none.
granted=$(grep -c 'result=issued' lighttpd.log log | awk -F: '{ n += $2 } END { print n }')
is "what was issued is what is stored" \
	"$("$SCEP" cert list --json | wc -l)" "$granted"
is "and what was paid for" "$(find home/store/used -type l | wc -l)" "$granted"
is "no worker died" "$(for p in $WORKERS; do kill -0 "$p" && echo up; done | wc -l)" 2

pkcsreq good "$good"
DOOR=fcgi
ok "a good request right after" send good
is "succeeds" "$(reply good status)" 0
done_testing
