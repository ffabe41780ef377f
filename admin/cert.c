#include "admin/cert.h"

static const struct verb cert_verbs[] = {
	{ "list", { NULL }, "", 0, 0, cert_list_options, run_cert_list,
	    "list them: serial, end, state, CA, entity, subject",
	    "State is valid, expired, revoked, held (revoked for now), or "
	    "unreleased: issued,\nand its client gets it when the judge of "
	    "its alias has acknowledged it.\n\n"
	    "--expires prints nothing where nothing ends, for cron:\n\n"
	    "  15 6 * * 1  scep cert list --expires 30d",
	    false, false, NAMES_PLAIN },
	{ "show", { NULL }, "WHICH", 1, 1, cert_show_options, run_cert_show,
	    "show a certificate",
	    "WHICH is its serial number (hex; colons and leading zeros are "
	    "free), its SHA-256\nor SHA-1 fingerprint, a file, or its entity "
	    "(all of that entity's).\n\n"
	    "  scep cert show router1\n"
	    "  scep cert show 5d:03:9f --pem",
	    false, false, NAMES_MAYBE },
	{ "revoke", { NULL }, "WHICH", 1, 1, revoke_options, run_revoke,
	    "revoke a certificate, or hold it",
	    "WHICH as for `scep cert show`; an entity's name means all of its "
	    "certificates\nthat have not expired.  The next CRL that anybody "
	    "fetches has it.\n\n"
	    "Reasons: keyCompromise, cACompromise, affiliationChanged, "
	    "superseded,\ncessationOfOperation, privilegeWithdrawn, "
	    "aACompromise, unspecified (default), and\ncertificateHold, the "
	    "only one that `scep cert unrevoke` takes back.\n\n"
	    "  scep cert revoke router1 --reason keyCompromise\n"
	    "  scep cert revoke 5d:03:9f --reason superseded --date 2026-11-01",
	    true, false, NAMES_MAYBE },
	{ "unrevoke", { NULL }, "WHICH", 1, 1, unrevoke_options, run_unrevoke,
	    "let a held certificate go", NULL, true, false, NAMES_MAYBE },
	{ "import", { NULL }, "FILE...", 1, -1, cert_import_options,
	    run_cert_import,
	    "take over certificates that were issued elsewhere",
	    "FILE has one or more certificates, PEM or DER, of a CA that is "
	    "here (`scep ca\nimport`); a directory means all files in it.  "
	    "--index says which are revoked:\nan index.txt of openssl ca, or "
	    "a CSV file with the columns serial,date,reason.\nAll or nothing; "
	    "what is here already is left alone.\n\n"
	    "  scep cert import newcerts --index index.txt --dry-run",
	    true, false, NAMES_TREES },
	{ .name = NULL },
};

const struct noun noun_cert = { "cert", "issued certificates", cert_verbs };
