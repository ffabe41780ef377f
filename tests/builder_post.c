#include "builder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/cms.h>

#define MAX_REPLY   1048576
#define WAIT_REPLY  30 /* seconds */
#define PKI_STATUS  "2.16.840.1.113733.1.9.3"
#define FAIL_INFO   "2.16.840.1.113733.1.9.4"
#define MOST_DIGITS 32

static int
dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((in_port_t)port) };
	struct timeval limit = { .tv_sec = WAIT_REPLY };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("nobody listens there");
	return fd;
}

/* A server may answer and close before it has read everything. */
static void
say_all(int fd, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = send(fd, b.p, b.n, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		b.p += n;
		b.n -= (size_t)n;
	}
}

/* The buffer is the same for each: whoever asks thousands of times does not
 * clear a megabyte each time. */
static struct bytes
hear_all(int fd)
{
	static unsigned char reply[MAX_REPLY + 1];
	struct bytes b = { reply, 0 };
	ssize_t n;

	while (b.n < MAX_REPLY &&
	       (n = recv(fd, b.p + b.n, MAX_REPLY - b.n, 0)) > 0)
		b.n += (size_t)n;
	return b;
}

/* The digit that an attribute's PrintableString is; -1: none, or another. */
static int
digit(CMS_SignerInfo *si, const char *dotted)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(dotted, 1);
	const ASN1_STRING *s =
	    CMS_signed_get0_data_by_OBJ(si, obj, -3, V_ASN1_PRINTABLESTRING);

	ASN1_OBJECT_free(obj);
	return s != NULL && ASN1_STRING_length(s) == 1 ?
		   ASN1_STRING_get0_data(s)[0] - '0' :
		   -1;
}

static bool
verified(CMS_ContentInfo *cms, X509 *ca)
{
	STACK_OF(X509) *with = sk_X509_new_null();
	BIO *none = NULL, *out = BIO_new(BIO_s_null());
	bool good;

	if (with == NULL || sk_X509_push(with, ca) <= 0)
		die("no memory");
	if (*CMS_get0_content(cms) == NULL)
		none = BIO_new_mem_buf("", 0);
	good = CMS_verify(cms, with, NULL, none, out,
		   CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
	BIO_free(none);
	BIO_free(out);
	sk_X509_free(with);
	return good;
}

/* SUCCESS, PENDING or the failInfo of a CertRep; '?' for anything else. */
static char
certrep_letter(struct bytes body, X509 *ca)
{
	const unsigned char *p = body.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)body.n);
	CMS_SignerInfo *si;
	int status, fail;

	if (cms == NULL || p != body.p + body.n || !verified(cms, ca))
		return '?';
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	status = digit(si, PKI_STATUS);
	fail = digit(si, FAIL_INFO);
	CMS_ContentInfo_free(cms);
	if (status == 2 && fail >= 0 && fail <= 4)
		return "AMRTC"[fail];
	return status == 0 && fail == -1 ? 'S' : '?';
}

char
post_letter(int port, struct bytes message, X509 *ca)
{
	char head[256];
	int fd = dial(port);
	struct bytes reply;
	unsigned char *body;

	snprintf(head, sizeof(head),
	    "POST /scep?operation=PKIOperation HTTP/1.0\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    message.n);
	say_all(fd, JOIN(text(head), message));
	reply = hear_all(fd);
	close(fd);
	reply.p[reply.n] = '\0';
	if (reply.n < MOST_DIGITS || memcmp(reply.p, "HTTP/1.", 7) != 0)
		return '-';
	if (memcmp(reply.p + 9, "400", 3) == 0)
		return '4';
	if (memcmp(reply.p + 9, "413", 3) == 0)
		return 'L';
	if (memcmp(reply.p + 9, "200", 3) != 0)
		return '!';
	body = (unsigned char *)strstr((char *)reply.p, "\r\n\r\n");
	if (body == NULL)
		return '-';
	body += 4;
	return certrep_letter(
	    raw(body, (size_t)(reply.p + reply.n - body)), ca);
}
