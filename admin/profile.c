#include "admin/admin.h"

#include <openssl/x509v3.h>

#include "base/time.h"
#include "ca/profile.h"

/* Certificate profiles: what a certificate of a kind looks like. */

static const struct {
	unsigned bit;
	const char *name;
} usages[] = {
	{ KU_DIGITAL_SIGNATURE, "digitalSignature" },
	{ KU_NON_REPUDIATION, "nonRepudiation" },
	{ KU_KEY_ENCIPHERMENT, "keyEncipherment" },
	{ KU_DATA_ENCIPHERMENT, "dataEncipherment" },
	{ KU_KEY_AGREEMENT, "keyAgreement" },
};

static bool
put_usage(struct buf *out, unsigned bits)
{
	for (size_t i = 0; i < sizeof(usages) / sizeof(*usages); i++)
		if ((bits & usages[i].bit) &&
		    !buf_printf(
			out, "%s%s", out->len > 0 ? ", " : "", usages[i].name))
			return false;
	return true;
}

static bool
put_eku(struct buf *out, const struct profile *p)
{
	for (size_t i = 0; i < MAX_EKU && p->eku[i] != NULL; i++)
		if (!buf_printf(out, "%s%s", i > 0 ? ", " : "", p->eku[i]))
			return false;
	return true;
}

static bool
put_keys(struct buf *out, const struct profile *p)
{
	return buf_printf(out, "RSA %u to %u bits%s%s", p->min_rsa, p->max_rsa,
	    p->ec ? ", EC P-256 P-384 P-521" : "", p->eddsa ? ", Ed25519" : "");
}

static enum err
show(struct command *cmd, const struct profile *p)
{
	struct {
		const char *label, *key;
		struct buf value;
	} line[] = {
		{ "Keys", "keys", BUF_INIT },
		{ "Key usage (RSA)", "usage_rsa", BUF_INIT },
		{ "Key usage (EC)", "usage_ec", BUF_INIT },
		{ "Extended usage", "eku", BUF_INIT },
	};
	bool json = opt_flag(cmd, "json");
	bool good = put_keys(&line[0].value, p) &&
		    put_usage(&line[1].value, p->usage_rsa) &&
		    put_usage(&line[2].value, p->usage_ec) &&
		    put_eku(&line[3].value, p);

	if (json) {
		json_begin(cmd->out);
		json_text(cmd->out, "name", p->name);
		json_num(cmd->out, "days", p->validity / DAY);
		json_num(cmd->out, "backdate_seconds", p->backdate);
	} else {
		(void)fprintf(cmd->out, "%-17s%s\n", "Name:", p->name);
		(void)fprintf(cmd->out, "%-17s%lld days, backdated %lld s\n",
		    "Validity:", (long long)(p->validity / DAY),
		    (long long)p->backdate);
	}
	for (size_t i = 0; i < sizeof(line) / sizeof(*line); i++) {
		if (json)
			json_text(
			    cmd->out, line[i].key, buf_cstr(&line[i].value));
		else
			(void)fprintf(cmd->out, "%s:%*s%s\n", line[i].label,
			    (int)(16 - strlen(line[i].label)), "",
			    buf_cstr(&line[i].value));
		buf_release(&line[i].value);
	}
	if (json)
		json_end(cmd->out);
	return good ? OK : ERR_SYSTEM;
}

static enum err
run_show(struct command *cmd)
{
	const struct profile *p = profile_find(cmd->name[0]);

	if (p == NULL)
		return say(ERR_NOTFOUND,
		    "no profile %s; `scep profile list` shows them",
		    cmd->name[0]);
	return show(cmd, p);
}

static enum err
run_list(struct command *cmd)
{
	const struct profile *p;

	for (size_t i = 0; (p = profile_at(i)) != NULL; i++) {
		if (opt_flag(cmd, "json")) {
			json_begin(cmd->out);
			json_text(cmd->out, "name", p->name);
			json_num(cmd->out, "days", p->validity / DAY);
			json_end(cmd->out);
		} else {
			(void)fprintf(cmd->out, "%s\n", p->name);
		}
	}
	return OK;
}

static const struct option options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb verbs[] = {
	{ .name = "list",
	    .args = "",
	    .options = options,
	    .run = run_list,
	    .help = "names of the certificate profiles" },
	{ .name = "show",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = options,
	    .run = run_show,
	    .help = "what a certificate of this profile looks like" },
	{ .name = NULL },
};

const struct noun noun_profile = { "profile", "kinds of certificates", verbs };
