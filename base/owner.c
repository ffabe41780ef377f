#include "base/owner.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* sudo forgets SCEP_HOME, so the home is named. */
enum err
owner_refuse(const char *home_path, uid_t owner)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const struct passwd *pw = getpwuid(owner);

	if (pw != NULL)
		log_error("%s belongs to %s; type: sudo -u %s scep --home %s "
			  "...",
		    home_path, pw->pw_name, pw->pw_name, home_path);
	else
		log_error("%s belongs to uid %lu; type: sudo -u '#%lu' scep "
			  "--home %s ...",
		    home_path, (unsigned long)owner, (unsigned long)owner,
		    home_path);
	return ERR_REFUSED;
}

enum err
owner_switch(uid_t uid, gid_t gid)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const struct passwd *pw = getpwuid(uid);
	int bad;

	bad = pw != NULL ? initgroups(pw->pw_name, gid) : setgroups(1, &gid);
	if (bad != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
		log_errno("cannot become uid %lu", (unsigned long)uid);
		return ERR_SYSTEM;
	}
	if (uid != 0 &&
	    (setuid(0) == 0 || geteuid() != uid || getegid() != gid)) {
		log_error("root's rights did not go away");
		return ERR_SYSTEM;
	}
	return OK;
}

enum err
owner_become(const char *home_path, int home)
{
	struct stat st;

	if (fstat(home, &st) != 0) {
		log_errno("cannot look at %s", home_path);
		return ERR_SYSTEM;
	}
	if (geteuid() == st.st_uid)
		return OK;
	if (geteuid() != 0)
		return owner_refuse(home_path, st.st_uid);
	return owner_switch(st.st_uid, st.st_gid);
}
