/*
 * A load client for `make bench`: builds N distinct PKCSReq messages with
 * OpenSSL's CMS API, then posts them over a few connections at once and
 * counts the CertReps that say SUCCESS.  Shares no code with the server.
 *
 *	load PORT PATH CA.pem CODES COUNT CLIENTS
 *
 * CODES has a line "username,code" for each message.  Messages are built
 * before the clock starts; a few signer keys are shared among them, each
 * message has a transactionID of its own.  Prints `seconds enrolled failed`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define KEYS	    8	   /* signer keys shared among the messages */
#define MAX_COUNT   100000 /* messages of one run */
#define MAX_CLIENTS 16
#define MAX_LINE    512
#define MAX_REPLY   65536
#define WAIT_REPLY  30	/* seconds for one reply */
#define WAIT_RUN    900 /* seconds for all */

struct signer {
	EVP_PKEY *key;
	X509 *cert;
};
struct message {
	unsigned char *der;
	int len;
};
struct load {
	uint16_t port;
	const char *path;
	X509 *ca;
	struct signer signer[KEYS];
	struct message *message;
	int count;
	int clients;
};

static void
fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1); /* NOLINT(concurrency-mt-unsafe) */
}

static double
now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		fail("clock");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static X509_NAME *
make_name(const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	if (name == NULL ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)cn, -1, -1, 0))
		fail("name");
	return name;
}

static void
make_signer(struct signer *s, int i)
{
	X509_NAME *name = make_name("load");

	s->key = EVP_RSA_gen(2048);
	s->cert = X509_new();
	if (s->key == NULL || s->cert == NULL ||
	    !X509_set_version(s->cert, X509_VERSION_3) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(s->cert), i + 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(s->cert), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(s->cert), 86400) ||
	    !X509_set_subject_name(s->cert, name) ||
	    !X509_set_issuer_name(s->cert, name) ||
	    !X509_set_pubkey(s->cert, s->key) ||
	    !X509_sign(s->cert, s->key, EVP_sha256()))
		fail("signer");
	X509_NAME_free(name);
}

static BIO *
make_csr(const struct signer *s, const char *cn, const char *code)
{
	X509_NAME *name = make_name(cn);
	X509_REQ *req = X509_REQ_new();
	BIO *out = BIO_new(BIO_s_mem());

	if (req == NULL || out == NULL ||
	    !X509_REQ_set_subject_name(req, name) ||
	    !X509_REQ_set_pubkey(req, s->key) ||
	    !X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
		MBSTRING_UTF8, (const unsigned char *)code, -1) ||
	    !X509_REQ_sign(req, s->key, EVP_sha256()) ||
	    !i2d_X509_REQ_bio(out, req))
		fail("request");
	X509_REQ_free(req);
	X509_NAME_free(name);
	return out;
}

static BIO *
make_envelope(X509 *ca, BIO *csr)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = NULL;

	if (to == NULL || out == NULL || !sk_X509_push(to, ca))
		fail("memory");
	cms = CMS_encrypt(to, csr, EVP_aes_128_cbc(), CMS_BINARY);
	if (cms == NULL || !i2d_CMS_bio(out, cms))
		fail("envelope");
	CMS_ContentInfo_free(cms);
	sk_X509_free(to);
	return out;
}

static void
add_attribute(
    CMS_SignerInfo *si, const char *oid, int type, const void *value, int len)
{
	if (!CMS_signed_add1_attr_by_txt(si, oid, type, value, len))
		fail(oid);
}

static void
make_message(struct load *l, int i, const char *cn, const char *code)
{
	const struct signer *s = &l->signer[i % KEYS];
	BIO *csr = make_csr(s, cn, code);
	BIO *inner = make_envelope(l->ca, csr);
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;
	unsigned char nonce[16];
	char id[40];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		fail("random bytes");
	snprintf(id, sizeof(id), "load-%08d-%02x%02x%02x%02x", i, nonce[0],
	    nonce[1], nonce[2], nonce[3]);
	cms = CMS_sign(NULL, NULL, NULL, inner, CMS_PARTIAL | CMS_BINARY);
	if (cms == NULL)
		fail("message");
	si = CMS_add1_signer(
	    cms, s->cert, s->key, EVP_sha256(), CMS_BINARY | CMS_NOSMIMECAP);
	if (si == NULL)
		fail("signer info");
	add_attribute(
	    si, "2.16.840.1.113733.1.9.2", V_ASN1_PRINTABLESTRING, "19", 2);
	add_attribute(si, "2.16.840.1.113733.1.9.5", V_ASN1_OCTET_STRING, nonce,
	    (int)sizeof(nonce));
	add_attribute(si, "2.16.840.1.113733.1.9.7", V_ASN1_PRINTABLESTRING, id,
	    (int)strlen(id));
	if (!CMS_final(cms, inner, NULL, CMS_BINARY))
		fail("signature");
	l->message[i].len = i2d_CMS_ContentInfo(cms, &l->message[i].der);
	if (l->message[i].len <= 0)
		fail("encoding");
	CMS_ContentInfo_free(cms);
	BIO_free(inner);
	BIO_free(csr);
}

static void
make_messages(struct load *l, const char *codes)
{
	FILE *f = fopen(codes, "r");
	char line[MAX_LINE];
	char *code;
	int i;

	if (f == NULL)
		fail(codes);
	for (i = 0; i < KEYS; i++)
		make_signer(&l->signer[i], i);
	for (i = 0; i < l->count; i++) {
		if (fgets(line, sizeof(line), f) == NULL)
			fail("fewer codes than messages");
		line[strcspn(line, "\r\n")] = '\0';
		if ((code = strchr(line, ',')) == NULL)
			fail("a line of the codes is not username,code");
		*code++ = '\0';
		make_message(l, i, line, code);
	}
	fclose(f);
}

static bool
send_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static int
dial(const struct load *l)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(l->port) };
	struct timeval limit = { .tv_sec = WAIT_REPLY };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ==
		0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* pkiStatus (2.16.840.1.113733.1.9.3) with the value "0", as DER has it. */
static bool
is_success(const unsigned char *reply, size_t len)
{
	static const unsigned char want[] = { 0x06, 0x0a, 0x60, 0x86, 0x48,
		0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x03, 0x31, 0x03, 0x13,
		0x01, '0' };

	for (size_t i = 0; i + sizeof(want) <= len; i++)
		if (memcmp(reply + i, want, sizeof(want)) == 0)
			return true;
	return false;
}

/* One connection, one message, one reply. */
static bool
post(const struct load *l, const struct message *m, unsigned char *reply)
{
	char head[MAX_LINE];
	size_t len = 0;
	ssize_t n = 0;
	bool done = false;
	int fd;

	if ((fd = dial(l)) < 0)
		return false;
	snprintf(head, sizeof(head),
	    "POST %s?operation=PKIOperation HTTP/1.0\r\n"
	    "Content-Type: application/x-pki-message\r\n"
	    "Content-Length: %d\r\n\r\n",
	    l->path, m->len);
	if (!send_all(fd, head, strlen(head)) ||
	    !send_all(fd, m->der, (size_t)m->len))
		goto out;
	while (len < MAX_REPLY &&
	       (n = recv(fd, reply + len, MAX_REPLY - len, 0)) > 0)
		len += (size_t)n;
	done = n == 0 && len > 12 && memcmp(reply + 9, "200", 3) == 0 &&
	       is_success(reply, len);
out:
	close(fd);
	return done;
}

/* Every CLIENTS-th message; the answer goes up the pipe. */
static void
client(const struct load *l, int which, int up)
{
	unsigned char *reply = malloc(MAX_REPLY);
	int count[2] = { 0, 0 };

	if (reply == NULL)
		fail("memory");
	alarm(WAIT_RUN);
	for (int i = which; i < l->count; i += l->clients)
		count[post(l, &l->message[i], reply) ? 0 : 1]++;
	free(reply);
	if (write(up, count, sizeof(count)) != (ssize_t)sizeof(count))
		_exit(1);
	_exit(0);
}

static void
run(const struct load *l)
{
	int enrolled = 0;
	int failed = 0;
	int got[2];
	int up[2];
	double start;

	if (pipe(up) != 0)
		fail("pipe");
	start = now();
	for (int i = 0; i < l->clients; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0)
			client(l, i, up[1]);
	}
	close(up[1]);
	while (read(up[0], got, sizeof(got)) == (ssize_t)sizeof(got)) {
		enrolled += got[0];
		failed += got[1];
	}
	while (wait(NULL) > 0)
		continue;
	/* A client that ended early has answered for none of its messages. */
	failed += l->count - enrolled - failed;
	printf("%.3f %d %d\n", now() - start, enrolled, failed);
	if (failed != 0)
		fail("not every enrolment succeeded");
}

static int
number(const char *text, int max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end != '\0' || n < 1 || n > max)
		fail("a number is out of range");
	return (int)n;
}

int
main(int argc, char **argv)
{
	struct load l = { .path = NULL };
	BIO *in;

	if (argc != 7)
		fail("usage: load PORT PATH CA.pem CODES COUNT CLIENTS");
	l.port = (uint16_t)number(argv[1], 65535);
	l.path = argv[2];
	l.count = number(argv[5], MAX_COUNT);
	l.clients = number(argv[6], MAX_CLIENTS);
	l.message = calloc((size_t)l.count, sizeof(*l.message));
	in = BIO_new_file(argv[3], "r");
	if (in == NULL || l.message == NULL ||
	    (l.ca = PEM_read_bio_X509(in, NULL, NULL, NULL)) == NULL)
		fail(argv[3]);
	BIO_free(in);
	make_messages(&l, argv[4]);
	fprintf(stderr, "load: %d messages built\n", l.count);
	run(&l);
	for (int i = 0; i < l.count; i++)
		OPENSSL_free(l.message[i].der);
	for (int i = 0; i < KEYS; i++) {
		X509_free(l.signer[i].cert);
		EVP_PKEY_free(l.signer[i].key);
	}
	X509_free(l.ca);
	free(l.message);
	return 0;
}
