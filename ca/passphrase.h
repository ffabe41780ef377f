#ifndef CA_PASSPHRASE_H
#define CA_PASSPHRASE_H

#include "ca/key.h"

/*
 * The passphrase of a CA's keys, first found of:
 *	$CREDENTIALS_DIRECTORY/scep-key-passphrase.<escaped CA name>
 *	$CREDENTIALS_DIRECTORY/scep-key-passphrase   (systemd.exec(5))
 *	$SCEP_KEY_PASSPHRASE
 *	the file that scep.ini names in [keys] passphrasefile
 * Of a file the first line counts.  scep.ini is read here and not handed
 * down, so that the key's door needs nobody: a process of its own may stand
 * behind it.  out is secret.  ERR_NOTFOUND (silent): there is none.
 */
enum err passphrase_find(int home, const char *ca, struct buf *out);

/*
 * Opens the key at path, with the passphrase where it is encrypted; *sealed
 * says whether it is.  ERR_NOTFOUND: no such file; all else is logged.
 */
enum err key_load(
    int home, const char *ca, const char *path, struct key **out, bool *sealed);

#endif
