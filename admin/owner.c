#include "admin/owner.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"

/* "uid 1000 (anna)", or without a name where the system knows none. */
static bool
user_text(uid_t uid, struct buf *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const struct passwd *pw = getpwuid(uid);

	if (pw == NULL)
		return buf_printf(out, "uid %lu", (unsigned long)uid);
	return buf_printf(out, "uid %lu (%s)", (unsigned long)uid, pw->pw_name);
}

/*
 * sudo tells who typed.  Only root's word counts: anybody else could set the
 * variable, so it stands beside our own uid, not instead of it.
 */
static bool
sudo_uid(uid_t *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *s = getenv("SUDO_UID");
	char *end = NULL;
	unsigned long n;

	if (s == NULL || s[0] < '0' || s[0] > '9')
		return false;
	errno = 0;
	n = strtoul(s, &end, 10);
	if (errno != 0 || *end != '\0' || n > UINT32_MAX)
		return false;
	*out = (uid_t)n;
	return true;
}

static bool
user_name(uid_t uid, struct buf *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const struct passwd *pw = getpwuid(uid);

	return pw == NULL || buf_str(out, pw->pw_name);
}

/*
 * Who counts as a person is the real user; only of root's is believed what
 * sudo says (see sudo_uid()).
 */
enum err
who_am_i(struct command *cmd)
{
	uid_t by = 0, person = getuid();
	bool ok = true;

	cmd->root = person == 0;
	if (sudo_uid(&by) && by != person) {
		ok = user_text(by, &cmd->who) && buf_str(&cmd->who, " as ");
		if (cmd->root)
			person = by;
	}
	cmd->uid = person;
	return ok && user_text(getuid(), &cmd->who) &&
		       user_name(person, &cmd->user) ?
		   OK :
		   ERR_SYSTEM;
}

enum err
owner_check(const char *home_path)
{
	struct stat st;

	if (stat(home_path, &st) != 0) {
		if (errno == EACCES)
			return say(ERR_REFUSED,
			    "no right to look into %s; type: sudo scep ...",
			    home_path);
		return OK;
	}
	if (geteuid() == 0 || geteuid() == st.st_uid)
		return OK;
	return owner_refuse(home_path, st.st_uid);
}

enum err
owner_give(const char *home_path, int home, const char *user)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const struct passwd *pw = getpwnam(user);
	uid_t uid;
	gid_t gid;

	if (pw == NULL)
		return say(ERR_NOTFOUND,
		    "no user %s; adduser --system --group %s makes one", user,
		    user);
	uid = pw->pw_uid;
	gid = pw->pw_gid;
	if (geteuid() != 0) {
		if (uid == geteuid())
			return OK;
		return say(ERR_REFUSED,
		    "only root can give a home to %s; type: sudo scep ...",
		    user);
	}
	if (fchown(home, uid, gid) != 0)
		return say(ERR_SYSTEM, "cannot give %s to %s: %s", home_path,
		    user, strerror(errno));
	return uid == 0 ? OK : owner_switch(uid, gid);
}
