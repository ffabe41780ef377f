#ifndef ADMIN_QUEUE_VERBS_H
#define ADMIN_QUEUE_VERBS_H

#include "admin/admin.h"
#include "aliases/alias.h"
#include "ca/ca.h"
#include "queue.h"

/* Shared by the files of the noun queue. */

enum err run_queue_pull(struct command *cmd);
extern const struct option queue_pull_options[];
enum err run_queue_prune(struct command *cmd);
extern const struct option queue_prune_options[];
enum err run_queue_export(struct command *cmd);
extern const struct option queue_export_options[];

/*
 * A stream of files, for where there is no rsync:
 *
 *	scep-queue 1
 *	file ALIAS NAME LENGTH		and so many bytes, and a newline
 *	end
 *
 * It is whole or nothing: without its last line none of it is taken.  What is
 * of one alias stands together, and the aliases are sorted by bytes.
 */
bool stream_begin(struct buf *out);
bool stream_put(
    struct buf *out, const char *alias, const char *name, struct span bytes);
bool stream_end(struct buf *out);
/*
 * each(alias, name, bytes, arg) for all of them; stops at the first answer
 * that is not OK.  ERR_INPUT (silent): it is not whole.
 */
enum err stream_each(struct span in,
    enum err (*each)(
	const char *alias, const char *name, struct span bytes, void *arg),
    void *arg);

#endif
