#include "admin/ca.h"

enum err
ca_filter_open(struct command *cmd, struct ca_filter *out)
{
	enum err e;

	*out = (struct ca_filter){ .name = opt_text(cmd, "ca") };
	if (out->name == NULL)
		return OK;
	if ((e = cas_new(cmd->home, &out->cas)) != OK)
		return e;
	(void)cas_find(out->cas, out->name, &out->ca);
	return OK;
}

bool
ca_filter_lets(const struct ca_filter *f, const char *recorded)
{
	if (f->name == NULL)
		return true;
	return recorded != NULL &&
	       (strcmp(recorded, f->name) == 0 ||
		   (f->ca != NULL && ca_called(f->ca, recorded)));
}

void
ca_filter_close(struct ca_filter *f)
{
	cas_free(f->cas);
}
